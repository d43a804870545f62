import type { Codec } from '@hub/runtime/codec'
import { Problem } from '@hub/runtime/http'
import { instantText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { grantFor, leastOf, showAs, stateOf, todayInShanghai, type Viewer } from '@hub/schemas/visibility'
import { type Shown, shownOf } from './answer.ts'
import { decoded } from './decoded.ts'
import type { Earlier } from './store.ts'

/** What was listed then and is no longer shared stays out of every answer: that nothing was listed cannot be said of the past. */
const NOTE = {
  zh: '不含此后停止共享的记录：已移出、修复、作废的，以及您现在不可见的。未查到不等于当时未被列入。',
  en: 'Records that are no longer shared are not included: removed, repaired or void since, or no longer for you to see. Nothing found does not mean that nothing was listed then.',
}

/** What of the records that are still shared was in force at an earlier time. */
export interface EarlierAnswer {
  readonly uscc: string
  readonly verdict: 'listed' | 'unknown'
  readonly flags: readonly 'check-failed'[]
  readonly listings: readonly Shown[]
  readonly penalties: readonly Shown[]
  /** What was asked for, and the time at or before it at which the replica wrote down where it was; RFC 3339. */
  readonly asked: string
  readonly at: string
  readonly positions: readonly { readonly topic: string; readonly partition: number; readonly generation: string; readonly next: number }[]
  readonly note: { readonly zh: string; readonly en: string }
}

/** @param asked ms UTC. @throws Problem 410 where this replica can no longer say, or never could */
export async function answerAsOf(codec: Codec, question: { readonly code: string; readonly checkHolds: boolean }, asked: number, earlier: Earlier, viewer: Viewer, topicPrefix: string): Promise<EarlierAnswer> {
  const { at, vector, partitions, rows } = earlier
  mustBeKept(earlier)
  const [today, then] = [todayInShanghai(), shanghaiDay(asked)]
  const shown: { type: unknown; shown: Shown }[] = []
  for (const { region, partition, offset, body, now } of rows) {
    const [was, is] = [await decoded(codec, body), await decoded(codec, now)]
    if (stateOf(was.contract, was.record, then) !== 'published' || (was.record['subject'] as { uscc?: unknown }).uscc !== question.code) continue
    const { json, show } = showAs(was.contract, was.record, leastOf(grantFor(was.contract, was.record, viewer, today), grantFor(is.contract, is.record, viewer, today))) as { show: string; json: Record<string, unknown> }
    if (show !== 'record') continue
    const topic = partitions.find((one) => one.region === region && one.partition === partition)!.topic.slice(topicPrefix.length)
    shown.push({ type: was.record['recordType'], shown: shownOf({ ...was, topic, partition, offset: Number(offset) }, json) })
  }
  const listings = shown.filter(({ type }) => type === 'listing').map((one) => one.shown)
  return {
    uscc: question.code,
    verdict: listings.length > 0 ? 'listed' : 'unknown',
    flags: question.checkHolds ? [] : ['check-failed'],
    listings,
    penalties: shown.filter(({ type }) => type === 'penalty').map((one) => one.shown),
    asked: instantText(asked),
    at: at!.toISOString(),
    positions: partitions.map(({ topic, partition, generation }) => ({ topic: topic.slice(topicPrefix.length), partition, generation, next: vector[`${topic}/${partition}`]![1] })),
    note: NOTE,
  }
}

/** @throws Problem 410 where the replica had not all of this in front of it then, or keeps it no more */
export function mustBeKept({ at, oldest, vector, partitions }: Omit<Earlier, 'rows'>): void {
  const tooOld = (detail: string): Problem => new Problem(410, 'ASOF_TOO_OLD', '早于本副本保存的历史 · older than the history that is kept here', detail)
  if (at === undefined || partitions.length === 0) throw tooOld(oldest === undefined ? 'Nothing is written down yet: it is once a minute.' : `The earliest time is ${oldest.toISOString()}.`)
  for (const { topic, partition, generation, completeFrom } of partitions) {
    const place = vector[`${topic}/${partition}`]
    if (place === undefined) throw tooOld(`${topic}/${partition} was not read here yet at ${at.toISOString()}.`)
    if (place[0] !== generation) throw new Problem(410, 'ASOF_OTHER_GENERATION', '主题已重建，旧位置不再有效 · the topic was created anew, its earlier positions mean nothing now', `${topic}/${partition} is of generation ${generation.slice(0, 8)} now.`)
    if (place[1] < completeFrom) throw new Problem(410, 'ASOF_INCOMPLETE', '该位置之前的版本在本副本不完整 · this replica lacks versions before a later position', `${topic}/${partition} is complete from ${completeFrom} on.`)
  }
}
