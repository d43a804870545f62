import { CODES } from '@hub/schemas/codes'

/** A credit record in its JSON form, as the store of a peer gives it, and where the log has it. */
export interface Stored {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly record: PeerRecord
}

export interface PeerRecord {
  readonly [field: string]: unknown
  readonly eventId: string
  readonly region: string
  readonly kind: string
  readonly recordType: string
  readonly listType: string
  readonly until: string | null
  readonly publication: string
  readonly penalty: { readonly publicUntil: string | null } | null
  readonly removal: { readonly date: string } | null
  readonly shield: { readonly from: string; readonly until: string | null } | null
}

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
const INNER_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]

/** What a team would write in an afternoon: the answer of the lookup to a bureau of `region`, as an object, by the rules of the visibility table. @param today `YYYY-MM-DD` in Asia/Shanghai */
export function answerOf(code: string, found: Stored | undefined, region: string, today: string): object {
  const record = found?.record
  const active = record !== undefined && isActive(record, today)
  const shown = found !== undefined && (active || record!.region === region) ? [shownOf(found)] : []
  return {
    uscc: code,
    verdict: active && record.recordType === 'listing' ? 'listed' : 'not-listed',
    flags: checkHolds(code) ? [] : ['check-failed'],
    listings: active && record.recordType === 'listing' ? shown : [],
    penalties: active && record.recordType === 'penalty' ? shown : [],
    withheld: active ? [] : shown,
    incomplete: [],
  }
}

function isActive({ publication, kind, until, penalty, removal, shield }: PeerRecord, today: string): boolean {
  return publication === 'published' && kind !== 'withdrawal' && !isBefore(until, today) && !isBefore(penalty?.publicUntil, today)
    && !(removal !== null && removal.date <= today) && !(shield !== null && shield.from <= today && !isBefore(shield.until, today))
}

function isBefore(day: string | null | undefined, today: string): boolean {
  return day != null && day < today
}

function shownOf({ topic, partition, offset, record }: Stored): object {
  const [zh, en] = CODES['list-type']!.codes[record.listType] ?? [record.listType, record.listType]
  const taken = Number.parseInt(record.eventId.slice(0, 8) + record.eventId.slice(9, 13), 16)
  return { region: record.region, list: { zh, en }, reachedHubAt: record.eventId[14] === '7' ? shanghaiTime(taken) : null, evidence: { topic, partition, offset, eventId: record.eventId }, record }
}

/** RFC 3339 with +08:00, to the second where there are no milliseconds. */
export function shanghaiTime(ms: number): string {
  return `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, -1).replace('.000', '')}+08:00`
}

function checkHolds(code: string): boolean {
  let [outer, inner] = [0, 0]
  for (let at = 0; at < 17; at++) outer += ALPHABET.indexOf(code[at]!) * WEIGHTS[at]!
  for (let at = 0; at < 8; at++) inner += Number.parseInt(code[8 + at]!, 36) * INNER_WEIGHTS[at]!
  const check = 11 - inner % 11
  return ALPHABET[(31 - outer % 31) % 31] === code[17] && (check === 11 ? '0' : check === 10 ? 'X' : String(check)) === code[16]
}
