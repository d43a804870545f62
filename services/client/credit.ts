import type { Region } from '@hub/schemas/streams'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { GatewayError } from './gateway-error.ts'
import { linesOf } from './lines.ts'
import { ATTEMPTS, broken, type ClientOptions, createTransport, pauseBefore, queryOf, type Transport } from './transport.ts'

/** A listing or penalty that is in force, as far as the caller may see it. */
export interface CreditListing {
  readonly region: Region
  /** The list by its legal name. */
  readonly list: { readonly zh: string; readonly en: string }
  readonly reachedHubAt: string | null
  readonly evidence: { readonly topic: string; readonly partition: number; readonly offset: number; readonly eventId?: string }
  readonly record: Readonly<Record<string, unknown>>
}

export interface CreditDoubt {
  readonly region: Region
  readonly doubts: readonly { readonly code: string; readonly source?: string; readonly text: string }[]
}

/** What is known of one firm. `unknown`: nothing was found, and `incomplete` says why that does not mean that nothing is listed. */
export interface CreditAnswer {
  /** Null where a registration number was asked for and stands beside no code, or beside several. */
  readonly uscc: string | null
  readonly regNo?: string
  readonly codes?: readonly string[]
  readonly verdict: 'listed' | 'not-listed' | 'unknown'
  readonly flags: readonly string[]
  readonly listings: readonly CreditListing[]
  readonly penalties: readonly CreditListing[]
  readonly incomplete: readonly CreditDoubt[]
}

/** One answer with the moment that it is of. */
export interface CreditAnswerNow extends CreditAnswer {
  readonly at: string
  /** Whoever keeps the answer follows the changes from here on. */
  readonly cursor: string
  readonly asOf: readonly { readonly region: Region; readonly complete: boolean; readonly transportAgeSeconds: number | null; readonly sources: readonly { readonly source: string; readonly lastHandOver: string | null }[] }[]
}

export interface CreditCandidate {
  readonly name: string
  readonly uscc: string | null
  readonly regNo: string | null
  readonly division: string | null
}

/** Of a code that is none: why. */
export interface CodeProblem {
  readonly problem: { readonly code: string; readonly reason: string; readonly detail: string }
}

export interface CreditBatch {
  readonly head: Pick<CreditAnswerNow, 'at' | 'cursor' | 'asOf' | 'incomplete'>
  /** In the order of the codes. */
  readonly answers: readonly (CreditAnswer | CodeProblem)[]
  readonly summary: Readonly<Record<CreditAnswer['verdict'] | 'wrong', number>>
}

/** A message of the changes. Keep its cursor with what you made of it. */
export type CreditChange =
  | CreditListing & { readonly op: 'put'; readonly cursor: string; readonly recordId: string; readonly uscc: string | null; readonly takenAt: string }
  /** Use nothing of this record any more, then acknowledge the cursor. You may never have had it. */
  | { readonly op: 'stop-using'; readonly cursor: string; readonly recordId: string; readonly region: Region; readonly takenAt: string }
  | { readonly op: 'heartbeat'; readonly cursor: string; readonly at: string }

export interface CreditSubscriber {
  readonly caller: string
  readonly name: string
  readonly connected: boolean
  readonly firstSeen: string
  readonly lastSeen: string
  readonly acknowledgedAt: string | null
  readonly notStopped: { readonly records: number; readonly since: string | null; readonly complete: boolean }
}

export interface FollowOptions {
  /** Cursor of the last message that was dealt with, or of an answer; left out = from now on. */
  readonly after?: string
  /** One for each copy that is kept, the same after a restart; `main` by default. */
  readonly name?: string
  readonly signal?: AbortSignal
}

export type CreditClient = ReturnType<typeof createCreditClient>

const SILENCE_MS = 45_000
const MOST_CODES = 10_000

/** One region's credit lookup as one caller; what is safe to send again is. @throws GatewayError from every method */
export function createCreditClient(options: ClientOptions) {
  const transport = createTransport(options)
  const json = (body: object): { method: 'POST'; headers: Record<string, string>; body: string } => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return {
    /** What is known of a firm now; `unknown` is an answer and no error. @param code or a 15-digit registration number, in any writing */
    async lookUp(code: string): Promise<CreditAnswerNow> {
      try {
        return await transport.json<CreditAnswerNow>(`/v1/credit/${encodeURIComponent(code)}`)
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'ANSWER_UNKNOWN') return error.more as unknown as CreditAnswerNow
        throw error
      }
    },
    /** Firms whose name begins like this, to be asked for by code; no verdict. */
    search: (name: string) => transport.json<{ readonly candidates: readonly CreditCandidate[]; readonly more: boolean }>(`/v1/credit/search?${queryOf({ name })}`),
    /** The same for at most 10 000 codes of one moment. @throws GatewayError also when the answer breaks off */
    async lookUpMany(codes: readonly string[], { signal }: { readonly signal?: AbortSignal } = {}): Promise<CreditBatch> {
      if (codes.length > MOST_CODES) throw new RangeError(`at most ${MOST_CODES} codes at once`)
      const response = await transport.open('/v1/credit/batch', { ...json({ codes }), signal })
      return await readBatch(transport, response, signal)
    },
    /** What changes, without an end; a lost connection is made again where it was. @throws GatewayError; 410: ask for your codes again and go on from the cursor of the answer */
    changes: (follow: FollowOptions = {}) => readChanges(transport, follow, options.attempts ?? ATTEMPTS),
    /** Says that nothing is used any more of what was to be stopped up to a cursor. */
    async acknowledge(cursor: string, name = 'main'): Promise<void> {
      (await transport.open('/v1/credit/changes/ack', json({ cursor, name }))).resume()
    },
    /** For operators: who follows, and who has not stopped yet. */
    async subscribers(): Promise<readonly CreditSubscriber[]> {
      return (await transport.json<{ subscribers: readonly CreditSubscriber[] }>('/v1/credit/subscribers')).subscribers
    },
    /** For operators: a copy that is kept no more. */
    async forgetSubscriber(caller: string, name: string): Promise<void> {
      (await transport.open(`/v1/credit/subscribers?${queryOf({ caller, name })}`, { method: 'DELETE' })).resume()
    },
  }
}

async function readBatch({ gateway }: Transport, response: IncomingMessage, signal: AbortSignal | undefined): Promise<CreditBatch> {
  const lines: Record<string, unknown>[] = []
  try {
    for await (const line of linesOf(gateway, response)) if (line !== '') lines.push(JSON.parse(line) as Record<string, unknown>)
  } catch (error) {
    throw broken(gateway, error, signal)
  }
  const [first, last] = [lines.shift(), lines.pop()]
  if (first?.['head'] === undefined || last?.['summary'] === undefined) throw new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '答复不完整 · the answer is not whole' })
  return { head: first['head'] as CreditBatch['head'], answers: lines as unknown as CreditBatch['answers'], summary: last['summary'] as CreditBatch['summary'] }
}

async function* readChanges(transport: Transport, { after, name, signal }: FollowOptions, attempts: number): AsyncGenerator<CreditChange, void> {
  let cursor = after
  let failures = 0
  for (;;) {
    try {
      const response = await transport.open(`/v1/credit/changes?${queryOf({ after: cursor, name })}`, { headers: { accept: 'text/event-stream' }, signal, silenceMs: SILENCE_MS })
      for await (const change of messages(transport.gateway, response, signal)) {
        failures = 0
        cursor = change.cursor
        yield change
      }
      throw new GatewayError(transport.gateway, { code: 'ANSWER_BROKEN', title: '变更流结束 · the stream ended' })
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.mayTryAgain || ++failures >= attempts) throw error
      await pause(pauseBefore(failures, error.retryAfter), undefined, { ...(signal && { signal }) })
    }
  }
}

async function* messages(gateway: string, response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<CreditChange, void> {
  try {
    let fields: Record<string, string> = {}
    for await (const line of linesOf(gateway, response)) {
      const colon = line.indexOf(': ')
      if (line !== '') fields[line.slice(0, colon)] = line.slice(colon + 2)
      if (line !== '' || fields['data'] === undefined) continue
      yield { ...JSON.parse(fields['data']) as object, op: fields['event'], cursor: fields['id'] } as CreditChange
      fields = {}
    }
  } catch (error) {
    throw broken(gateway, error, signal)
  } finally {
    response.destroy()
  }
}
