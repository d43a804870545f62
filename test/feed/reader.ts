import { createHash } from 'node:crypto'

/** One server-sent event. */
export interface Told {
  readonly id: string
  readonly event: string
  readonly data: { cursor: string; region: string; recordId: string; version: string; body?: Record<string, unknown>; reach?: string }
}

export interface FeedRequest {
  readonly key: string
  readonly lastEventId?: string | undefined
  readonly signal?: AbortSignal
}

/** The server-sent events of an answer, as they come; leaving the loop closes the connection. @throws when the answer is not 200 */
export async function* readFeed(url: string, { key, lastEventId, signal }: FeedRequest): AsyncGenerator<Told, void> {
  const ended = new AbortController()
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    signal: AbortSignal.any([ended.signal, ...(signal === undefined ? [] : [signal])]),
  })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  try {
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n')
      rest = parts.pop()!
      for (const part of parts) {
        const fields = new Map(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
        if (fields.has('data')) yield { id: fields.get('id')!, event: fields.get('event')!, data: JSON.parse(fields.get('data')!) as Told['data'] }
      }
    }
  } finally {
    ended.abort()
  }
}

export interface Snapshot {
  readonly head: { readonly cursor: string; readonly replica: string }
  readonly records: readonly { region: string; recordId: string; version: string; body: Record<string, unknown> }[]
  /** The last line counts the others and hashes them as they came. */
  readonly whole: boolean
}

export function parseSnapshot(text: string): Snapshot {
  const lines = text.split('\n')
  const head = JSON.parse(lines[0]!) as { head: Snapshot['head'] }
  const last = lines.at(-2)!.startsWith('{"summary"') && lines.at(-1) === '' ? (JSON.parse(lines.at(-2)!) as { summary: { records: number; sha256: string } }).summary : undefined
  const records = lines.slice(1, last === undefined ? -1 : -2)
  const sha256 = createHash('sha256').update(records.map((line) => `${line}\n`).join('')).digest('hex')
  return { head: head.head, records: records.map((line) => JSON.parse(line)), whole: last !== undefined && last.records === records.length && last.sha256 === sha256 }
}
