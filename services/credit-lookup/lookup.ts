import type { Codec } from '@hub/runtime/codec'
import { Problem } from '@hub/runtime/http'
import { contractByName } from '@hub/schemas/contracts'
import { dateText } from '@hub/schemas/record-json'
import { todayInShanghai, type Viewer } from '@hub/schemas/visibility'
import { answer, type Found, type Moment, momentOf, type Said } from './answer.ts'
import { cursorText } from './changes/cursor.ts'
import { DetailsDamaged } from './entry.ts'
import type { LookupMetrics } from './metrics.ts'
import { type Asked, type Question, readQuestion } from './question.ts'
import { keyOfRegNo } from './key.ts'
import type { Life, Reader } from './reader.ts'
import type { Store } from './store.ts'

export interface Lookup {
  /** The state of the regions now, for one question or all of a batch. @throws Problem 503 before everything is loaded */
  moment(): Moment
  question(raw: string): Question
  /** The codes that stand beside the registration numbers among these questions; from the region's database. */
  codesOf(questions: readonly Question[]): Promise<ReadonlyMap<string, readonly string[]>>
  /** @param codes of `codesOf`, for a question by registration number */
  ask(question: Asked, moment: Moment, viewer: Viewer, codes?: ReadonlyMap<string, readonly string[]>): Promise<Said>
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

  function findIn(now: Life, keys: readonly string[]): Found[] | Promise<void> {
    try {
      return find(now, keys)
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
        const found = findIn(now, keys)
        if (found instanceof Promise) {
          await found
          continue
        }
        const answered = answer(question, found, now.partitions.filter((one) => keys.some((key) => one.isParked(key))).map(({ region }) => region), moment, viewer, codes)
        metrics.answered(answered.verdict)
        return answered
      }
    },
  }
}
