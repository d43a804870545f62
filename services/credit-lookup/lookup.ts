import type { Codec } from '@hub/runtime/codec'
import { Problem } from '@hub/runtime/http'
import { contractByName } from '@hub/schemas/contracts'
import { dateText } from '@hub/schemas/record-json'
import type { Region } from '@hub/schemas/streams'
import { todayInShanghai, type Viewer } from '@hub/schemas/visibility'
import { answer, type Found, type Moment, momentOf, type Said, type Verdict } from './answer.ts'
import { evidencePlace, HELD, writeAnswer } from './answer-bytes.ts'
import { cursorText } from './changes/cursor.ts'
import { DetailsDamaged } from './entry.ts'
import type { LookupMetrics } from './metrics.ts'
import { type Asked, type Question, readQuestion } from './question.ts'
import { keyOfRegNo } from './key.ts'
import type { Life } from './life.ts'
import type { Reader } from './reader.ts'
import type { Store } from './store.ts'
import type { ByteSink } from './wire/sink.ts'

export interface Lookup {
  /** The state of the regions now, for one question or all of a batch. @throws Problem 503 before everything is loaded */
  moment(): Moment
  question(raw: string): Question
  /** The codes that stand beside the registration numbers among these questions; from the region's database. */
  codesOf(questions: readonly Question[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** @param codes of `codesOf`, for a question by registration number */
  ask(question: Asked, moment: Moment, viewer: Viewer, codes?: ReadonlyMap<string, readonly string[]>): Promise<Said>
  /**
   * The same, written as JSON without its last brace, and not counted: see `answered`. Undefined, and nothing written, where that is not to be had at once.
   * @throws Problem 503 before everything is loaded
   */
  write(sink: ByteSink, question: Asked, moment: Moment, viewer: Viewer): Verdict | undefined
  /** Counts an answer that was written. */
  answered(verdict: Verdict): void
  /** Records of all regions that have no unified social credit code to be found by. @throws Problem 503 before everything is loaded */
  withoutCode(): number
}

/** How long the state of the regions is told as it was: it is that of any answer that began in this time. */
const MOMENT_MS = 10
const NO_CODES: ReadonlyMap<string, readonly string[]> = new Map()

export function loading(): Problem {
  return new Problem(503, 'LOOKUP_LOADING', '查询服务正在读取数据，请稍后重试 · the lists are being read: try again later')
}

export function createLookup({ reader, codec, topicPrefix, metrics, store }: { reader: Reader; codec: Codec; topicPrefix: string; metrics: LookupMetrics; store: Store }): Lookup {
  /** By the number of a partition. */
  const places = new WeakMap<Life, Buffer[]>()
  let kept: { readonly life: Life; readonly at: number; readonly moment: Moment } | undefined

  function life(): Life {
    // Until the log is read to its end something may be current here that ended long ago.
    if (reader.life?.loaded === true) return reader.life
    throw loading()
  }

  /** All current records of these keys, or what must be waited for first: what was read before a wait may have ended meanwhile. */
  function find({ holdings, partitions }: Life, keys: readonly string[]): Found[] | Promise<void> {
    const found: Found[] = []
    for (const { body, place, offset } of keys.flatMap((key) => holdings.of(key))) {
      const decoded = codec.decode(body)
      if (!decoded.ok && decoded.reason === undefined) return decoded.pending
      if (!decoded.ok) throw new Error(`a record of ${partitions[place]!.topic} at ${offset} cannot be decoded: ${decoded.reason}`)
      const { topic, partition } = partitions[place]!
      found.push({ contract: contractByName(decoded.fullName)!, record: decoded.record, topic: topic.slice(topicPrefix.length), partition, offset })
    }
    return found
  }

  function placesIn(now: Life): Buffer[] {
    let known = places.get(now)
    if (known === undefined) places.set(now, known = now.partitions.map(({ topic, partition }) => evidencePlace(topic.slice(topicPrefix.length), partition)))
    return known
  }

  function reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof DetailsDamaged)) throw error
      reader.failed(error)
      throw loading()
    }
  }

  return {
    moment() {
      const now = life()
      const at = performance.now()
      if (kept === undefined || kept.life !== now || at - kept.at > MOMENT_MS) kept = { life: now, at, moment: momentOf(reader.facts(now), cursorText(now.logs, now.partitions.map(({ next }) => next)), Date.now()) }
      return kept.moment
    },
    write(sink, question, moment, viewer) {
      if (question.code === undefined || viewer.kind === 'public') return undefined
      const now = life()
      const held = reading(() => now.holdings.of(question.code))
      if (!held.every(({ body }) => codec.exactly(body) === HELD.fullName)) return undefined
      const known = placesIn(now)
      return writeAnswer(sink, question, held.map(({ body, place, offset }) => ({ body, place: known[place]!, offset })), parkedIn(now, [question.code]), moment, viewer)
    },
    answered: (verdict) => metrics.answered(verdict),
    withoutCode: () => life().holdings.tallies.withoutCode,
    question: (raw) => readQuestion(raw, dateText(todayInShanghai())),
    async codesOf(questions) {
      const regNos = questions.flatMap((one) => (one.ok && one.regNo !== undefined ? [one.regNo] : []))
      return regNos.length === 0 ? NO_CODES : store.codesOf([...new Set(regNos)])
    },
    async ask(question, moment, viewer, codesOf) {
      const codes = question.regNo === undefined ? undefined : codesOf?.get(question.regNo) ?? []
      const keys = question.regNo === undefined ? [question.code] : [keyOfRegNo(question.regNo), ...codes!]
      for (;;) {
        const now = life()
        const found = reading(() => find(now, keys))
        if (found instanceof Promise) {
          await found
          continue
        }
        const answered = answer(question, found, parkedIn(now, keys), moment, viewer, codes)
        metrics.answered(answered.verdict)
        return answered
      }
    },
  }
}

/** Regions in which a bad event names one of these keys, once for each partition. */
function parkedIn({ partitions }: Life, keys: readonly string[]): Region[] {
  return partitions.filter((one) => keys.some((key) => one.isParked(key))).map(({ region }) => region)
}
