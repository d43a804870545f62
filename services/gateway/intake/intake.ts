import { failpoint } from '@hub/runtime/failpoint'
import { BodyStopped } from './body.ts'
import { breathe } from './breathe.ts'
import { splitLines } from './ndjson.ts'
import { MAX_EVENT_BYTES, type Outcome, type PreparedEvent } from '../publish/publish-batch.ts'
import type { Prepared } from '../publish/prepare.ts'
import type { Spool } from './spool.ts'
import { count, emptySummary, problem, receiptPath, type Summary, type Verdict } from '../verdicts/verdict.ts'

const BATCH_EVENTS = 500
const BATCH_BYTES = 512 * 1024
/** Batches of one body that may wait for the database at once: one commits while the next ones gather, and no more is held. */
const BATCHES_IN_FLIGHT = 3
/**
 * How long a batch that is not full waits for more lines while nothing waits for the database. Without it a fast sender is taken a few dozen
 * lines at a time, and what a transaction, a send and an apply cost beside their events is most of the work, here and in every region.
 */
const GATHER_MS = 25

/** Makes events durable and says what became of each, in order. */
export type Publish = (events: PreparedEvent[]) => Promise<Outcome[]>

/** Is told every verdict that is given, once; the intake goes on when what it returns has resolved. */
export type Told = (verdicts: Verdict[]) => Promise<void> | undefined

export type Place = { line: number } | { index: number } | Record<string, never>
export interface Item {
  place: Place
  prepared: Prepared
}

/** Publishes what was prepared together and gives one verdict for each, in order. */
export async function settle(items: Item[], publish: Publish): Promise<Verdict[]> {
  const events = items.flatMap(({ prepared }) => ('event' in prepared ? [prepared.event] : []))
  failpoint('publish.prepared')
  const outcomes = events.length > 0 ? await publish(events) : []
  failpoint('publish.settled')
  let next = 0
  return items.map(({ place, prepared }) => {
    if ('event' in prepared) return { ...place, ...verdictOf(prepared.event, outcomes[next++]!) }
    return { ...place, ...(prepared.recordId !== undefined && { recordId: prepared.recordId }), verdict: 'refused', flags: [], problems: prepared.refused }
  })
}

/**
 * Reads NDJSON of any length, publishing as it comes: at most three batches wait for the database, and the body is not read further
 * meanwhile. Verdicts go to the spool, one line each in the order of the input, the summary last; where `body` throws `BodyStopped`, what was read is
 * published all the same and the last line also says why it was not read further and from which line on. Throws when the body breaks off
 * or the database does not commit in time; what was published stays, and sending the body again yields duplicates for it.
 */
export async function takeLines(body: AsyncIterable<Buffer>, prepare: (bytes: Buffer | undefined) => Prepared, publish: Publish, spool: Spool, told: Told): Promise<Summary> {
  const summary = emptySummary()
  const inFlight: Promise<void>[] = []
  let gathering: NodeJS.Timeout | undefined
  let batch: Item[] = []
  let batchBytes = 0
  let lastLine = 0
  let stopped: BodyStopped | undefined
  try {
    for await (const lines of stoppable(splitLines(body, MAX_EVENT_BYTES), (why) => { stopped = why })) {
      for (const { number, bytes } of lines) {
        await breathe()
        lastLine = number
        batch.push({ place: { line: number }, prepared: prepare(bytes) })
        batchBytes += bytes?.length ?? 0
        if (batch.length >= BATCH_EVENTS || batchBytes >= BATCH_BYTES) await send()
      }
      // A sender that pauses does not wait for its batch to fill.
      if (batch.length > 0 && inFlight.length === 0) sendSoon()
    }
    await send()
  } finally {
    // Also when the body broke off: nothing may write to the spool after this function has ended.
    batch = []
    clearTimeout(gathering)
    const ends = await Promise.allSettled(inFlight)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
  const { status, code, message: title, detail } = stopped?.problem ?? {}
  await spool.write(`${JSON.stringify({ summary, ...(stopped !== undefined && { stopped: { status, code, title, detail, fromLine: lastLine + 1 } }) })}\n`)
  return summary

  function sendSoon(): void {
    // As below: a failure is thrown by whoever waits for the batch that failed.
    gathering ??= setTimeout(() => void send().catch(() => {}), GATHER_MS)
  }

  async function send(): Promise<void> {
    clearTimeout(gathering)
    gathering = undefined
    while (inFlight.length >= BATCHES_IN_FLIGHT) await inFlight[0]
    if (batch.length === 0) return
    const before = inFlight.at(-1) ?? Promise.resolve()
    const settled = settle(batch, publish)
    batch = []
    batchBytes = 0
    const written = Promise.all([settled, before]).then(async ([verdicts]) => {
      let text = ''
      for (const verdict of verdicts) {
        count(summary, verdict.verdict)
        text += `${JSON.stringify(verdict)}\n`
      }
      await told(verdicts)
      failpoint('publish.told')
      await spool.write(text)
      inFlight.splice(inFlight.indexOf(written), 1)
      // What gathered meanwhile goes on by itself, whether or not the sender says more.
      if (batch.length > 0 && inFlight.length === 0) sendSoon()
    })
    // The failure is thrown by whoever waits for it above; this only keeps it from counting as unhandled until then.
    written.catch(() => {})
    inFlight.push(written)
  }
}

/** Ends where the source was stopped, and says why. */
async function* stoppable<T>(source: AsyncIterable<T>, onStop: (why: BodyStopped) => void): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    if (!(error instanceof BodyStopped)) throw error
    onStop(error)
  }
}

function verdictOf(event: PreparedEvent, outcome: Outcome): Verdict {
  const { recordId, flags } = event
  switch (outcome.verdict) {
    case 'accepted':
    case 'new-version':
    case 'duplicate':
      if (outcome.eventId === null) return { recordId, verdict: outcome.verdict, version: outcome.version, flags }
      return { recordId, verdict: outcome.verdict, eventId: outcome.eventId, version: outcome.version, flags, receipt: receiptPath(outcome.eventId) }
    case 'stale':
      return { recordId, verdict: 'stale', version: outcome.version, flags, problems: [problem(outcome.reason, 'version', `> ${outcome.version}`)] }
    case 'conflict':
      return { recordId, verdict: 'conflict', version: outcome.version, flags, problems: [problem('version-conflict', 'version', `≠ ${outcome.version}`)] }
    case 'refused':
      return { recordId, verdict: 'refused', flags, problems: [problem(outcome.reason, '', `≤ ${MAX_EVENT_BYTES} bytes`)] }
  }
}
