import { CODES } from '@hub/schemas/codes'
import type { Contract } from '@hub/schemas/contracts'
import { instantText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import type { Region } from '@hub/schemas/streams'
import { show, stateOf, type Viewer } from '@hub/schemas/visibility'
import { BY_REG_NO, type Doubt, doubtsOf, PARKED_SUBJECT, type RegionFacts } from './completeness.ts'
import type { Asked } from './question.ts'

/** A current record of the subject, and where the log has it. */
export interface Found {
  readonly contract: Contract
  /** In its Avro form. */
  readonly record: Readonly<Record<string, unknown>>
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export type Verdict = 'listed' | 'not-listed' | 'unknown'

/** One listing or penalty as the viewer may see it. */
export interface Shown {
  readonly region: unknown
  /** The list by its legal name, in Chinese and English. */
  readonly list: { readonly zh: string; readonly en: string }
  /** When the hub took this version; RFC 3339. Null where the event id does not tell. */
  readonly reachedHubAt: string | null
  /** Where it stands on the log; the event id for those who may see it. */
  readonly evidence: { readonly topic: string; readonly partition: number; readonly offset: number; readonly eventId?: unknown }
  /** Name, ground, authority, decision number, dates and the rest: the record's fields as far as this viewer may see them. */
  readonly record: Readonly<Record<string, unknown>>
}

/** How far the answer reaches, per region. */
export interface AsOf {
  readonly region: Region
  readonly complete: boolean
  readonly positions: RegionFacts['positions']
  readonly transportAgeSeconds: number | null
  /** Last complete hand-over of each source; RFC 3339. */
  readonly sources: readonly { readonly source: string; readonly lastHandOver: string | null }[]
}

export interface Incomplete {
  readonly region: Region
  readonly doubts: readonly Doubt[]
}

/** The state of all regions at one moment: the same for every code of a batch. */
export interface Moment {
  /** `at`, `cursor` and `asOf` as the end of an answer's JSON: the same bytes for every answer of the moment. */
  readonly tail: Buffer
  /** Where the changes go on from; see `GET /v1/credit/changes`. */
  readonly cursor: string
  /** RFC 3339. */
  readonly at: string
  /** Days since 1970-01-01 in Asia/Shanghai. */
  readonly today: number
  readonly asOf: readonly AsOf[]
  readonly incomplete: readonly Incomplete[]
  /** The JSON of `incomplete`. */
  readonly incompleteBytes: Buffer
}

export interface Answer extends Said {
  /** RFC 3339. */
  readonly at: string
  /** Whoever keeps the answer follows the changes from here on. */
  readonly cursor: string
  readonly asOf: readonly AsOf[]
}

/** What is said of one subject, without the moment that it is said of. */
export interface Said {
  /** Null where a registration number was asked for and stands beside no code, or beside several. */
  readonly uscc: string | null
  /** The registration number that was asked for, and the codes that stand beside it in current records. */
  readonly regNo?: string
  readonly codes?: readonly string[]
  readonly verdict: Verdict
  /** `check-failed`: one of the code's check characters does not hold. */
  readonly flags: readonly 'check-failed'[]
  /** What stands on a list now. */
  readonly listings: readonly Shown[]
  /** Facts beside the verdict, which they never decide. */
  readonly penalties: readonly Shown[]
  /** For bureaus: what their own region has published and nobody else may see, as it is shielded, past its term or not public. */
  readonly withheld: readonly Shown[]
  /** Regions that may list the subject without our knowing, and why. */
  readonly incomplete: readonly Incomplete[]
}

/** @param now ms UTC */
export function momentOf(regions: readonly RegionFacts[], cursor: string, now: number): Moment {
  const doubts = regions.map((facts) => ({ region: facts.region, doubts: doubtsOf(facts, now) }))
  const at = instantText(now)
  const asOf = regions.map(({ region, positions, transportAgeMs, sources }, n): AsOf => ({
    region,
    complete: doubts[n]!.doubts.length === 0,
    positions,
    transportAgeSeconds: transportAgeMs === undefined ? null : Math.round(transportAgeMs) / 1000,
    sources: sources.map(({ sourceSystem, lastHandOverAt }) => ({ source: sourceSystem, lastHandOver: lastHandOverAt === undefined ? null : instantText(lastHandOverAt) })),
  }))
  const incomplete = doubts.filter((one) => one.doubts.length > 0)
  return { at, cursor, asOf, today: shanghaiDay(now), incomplete, incompleteBytes: Buffer.from(JSON.stringify(incomplete)), tail: Buffer.from(`,${JSON.stringify({ at, cursor, asOf }).slice(1)}`) }
}

/**
 * The answer to one question. A listing that is found is told at once; that nothing is listed is only said when every region is complete and no
 * bad event names the subject. Whether something was once listed cannot be told from the answer.
 * @param found all current records of the code
 * @param parkedIn regions in which a bad event names it
 * @param codes those of a registration number
 */
export function answer(question: Asked, found: readonly Found[], parkedIn: readonly Region[], moment: Moment, viewer: Viewer, codes: readonly string[] = []): Said {
  const shown = found.flatMap((one) => {
    const seen = show(one.contract, one.record, viewer, moment.today)
    return seen.show === 'record' ? [{ one, active: stateOf(one.contract, one.record, moment.today) === 'published', shown: shownOf(one, seen.json) }] : []
  })
  const active = shown.filter((each) => each.active)
  const listings = active.filter(({ one }) => one.record['recordType'] === 'listing').map((each) => each.shown)
  const parked = incompleteOf(moment, parkedIn)
  // A listing need not name the number: that nothing was found says nothing.
  const incomplete = question.regNo !== undefined && listings.length === 0 ? withDoubt(parked, moment.asOf.map(({ region }) => region), BY_REG_NO) : parked
  return {
    ...(question.regNo === undefined ? { uscc: question.code } : { uscc: codes.length === 1 ? codes[0]! : null, regNo: question.regNo, codes }),
    verdict: verdictOf(listings.length > 0, incomplete.length === 0),
    flags: question.checkHolds ? [] : ['check-failed'],
    listings,
    penalties: active.filter(({ one }) => one.record['recordType'] === 'penalty').map((each) => each.shown),
    withheld: shown.filter((each) => !each.active).map((each) => each.shown),
    incomplete,
  }
}

/** The answer as it is told of its moment. */
export function told(said: Said, { at, cursor, asOf }: Moment): Answer {
  return { ...said, at, cursor, asOf }
}

/** The JSON of `told`; turning text with Chinese in it into bytes is what costs most of an answer, so the moment's part is done once. */
export function toldBytes(said: Said, { tail }: Moment): Buffer {
  const bytes = Buffer.from(JSON.stringify(said))
  return Buffer.concat([bytes.subarray(0, -1), tail])
}

/** The regions that may list a subject without our knowing, of which those of `parkedIn` have a bad event that names it. */
export function incompleteOf({ incomplete }: Moment, parkedIn: readonly Region[]): readonly Incomplete[] {
  return parkedIn.length === 0 ? incomplete : withDoubt(incomplete, parkedIn, PARKED_SUBJECT)
}

export function verdictOf(listed: boolean, complete: boolean): Verdict {
  return listed ? 'listed' : complete ? 'not-listed' : 'unknown'
}

function withDoubt(incomplete: readonly Incomplete[], regions: readonly Region[], doubt: Doubt): Incomplete[] {
  const others = incomplete.filter(({ region }) => !regions.includes(region))
  return [...others, ...[...new Set(regions)].map((region) => ({ region, doubts: [...incomplete.find((one) => one.region === region)?.doubts ?? [], doubt] }))]
}

export function shownOf({ record, topic, partition, offset }: Found, json: Readonly<Record<string, unknown>>): Shown {
  const taken = takenAt(record['eventId'] as string)
  return {
    region: json['region'],
    list: listOf(json['listType'] as string),
    reachedHubAt: taken === null ? null : instantText(taken),
    evidence: { topic, partition, offset, ...('eventId' in json && { eventId: json['eventId'] }) },
    record: json,
  }
}

/** A list by its legal name. */
export function listOf(listType: string): Shown['list'] {
  const { codes } = CODES['list-type']!
  const [zh, en] = Object.hasOwn(codes, listType) ? codes[listType]! : [listType, listType]
  return { zh, en }
}

/** The time in a UUID v7, which the gateway gives when it takes an event; ms UTC, null where there is none. */
export function takenAt(eventId: string): number | null {
  const ms = Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16)
  return eventId[14] === '7' && Number.isSafeInteger(ms) ? ms : null
}
