import type { EventsByStream } from '@hub/schemas/generated/events'
import type { DataStream } from '@hub/schemas/streams'
import { Readable } from 'node:stream'
import type { Summary, Verdict } from './answers.ts'
import { GatewayError } from './gateway-error.ts'
import { linesOf } from './lines.ts'
import { broken, type Transport } from './transport.ts'

export interface PublishOptions {
  /** Only rehearse: the same verdicts, nothing is stored. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/**
 * The answer to NDJSON of any length. Its lines are read from the connection as they are asked for; one reader, once. Where the gateway did not read the body to
 * its end, the verdicts of what it read come first, and then a GatewayError whose `more` has `fromLine` (the first line to send in another body) and `summary`.
 */
export interface PublishedLines extends AsyncIterable<Verdict> {
  /** The counts at the end of the answer; reads on to there, past verdicts that nobody took. @throws GatewayError when the answer breaks off */
  summary(): Promise<Summary>
}

/** Lines, events, or pieces of a file in any cut. */
export type Lines = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

const NDJSON = 'application/x-ndjson'

export function publishing(transport: Transport): {
  publish<S extends DataStream>(stream: S, event: EventsByStream[S], options?: PublishOptions): Promise<Verdict>
  publishAll<S extends DataStream>(stream: S, events: readonly EventsByStream[S][], options?: PublishOptions): Promise<{ readonly summary: Summary; readonly verdicts: readonly Verdict[] }>
  publishLines(stream: DataStream, lines: Lines, options?: PublishOptions): Promise<PublishedLines>
} {
  const pathOf = (stream: DataStream, dryRun = false): string => `/v1/streams/${encodeURIComponent(stream)}/events${dryRun ? '?dryRun=true' : ''}`
  const post = <T>(stream: DataStream, body: unknown, { dryRun, signal }: PublishOptions): Promise<T> =>
    transport.json<T>(pathOf(stream, dryRun), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal, answers: [409, 422] })
  return {
    publish: (stream, event, options = {}) => post<Verdict>(stream, event, options),
    publishAll: (stream, events, options = {}) => post(stream, events, options),
    async publishLines(stream, lines, { dryRun, signal } = {}) {
      const body = lines instanceof Readable ? lines : Readable.from(lines, { objectMode: false })
      const response = await transport.open(pathOf(stream, dryRun), { method: 'POST', headers: { 'content-type': NDJSON, accept: NDJSON }, body, signal, answers: [413, 503] })
      return publishedLines(transport.gateway, response, signal)
    },
  }
}

/** Why the gateway did not read a body to its end, and the first line that it did not read. */
interface Stopped {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly fromLine: number
}

function publishedLines(gateway: string, response: Readable, signal: AbortSignal | undefined): PublishedLines {
  let summary: Summary | undefined
  let stopped: Stopped | undefined
  const verdicts = read()
  async function* read(): AsyncGenerator<Verdict, void> {
    try {
      for await (const line of linesOf(gateway, response as AsyncIterable<Uint8Array>)) {
        if (line === '') continue
        const answer = JSON.parse(line) as Verdict & { readonly summary?: Summary; readonly stopped?: Stopped }
        if (answer.summary === undefined) yield answer
        else ({ summary, stopped } = answer)
      }
    } catch (error) {
      throw broken(gateway, error, signal)
    }
    if (stopped !== undefined) throw new GatewayError(gateway, { ...stopped, more: { fromLine: stopped.fromLine, summary } })
  }
  return {
    [Symbol.asyncIterator]: () => ({ next: () => verdicts.next() }),
    async summary() {
      while (!(await verdicts.next()).done) { /* what nobody took */ }
      if (summary === undefined) throw new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '回答在汇总前中断 · the answer broke off before its summary', detail: 'Nothing acknowledged is lost: send the whole again, what was published counts as duplicate.' })
      return summary
    },
  }
}
