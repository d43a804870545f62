import { ABSENT, composeListing, type ListingAct, type ListingHistory } from './listing.ts'

/** A file that would end more than so many records, or this share of them, waits for a person: it may be half of a list. */
const MAX_ENDED = 50
const MAX_SHARE = 0.02

/** What a complete list does not name any more: the active listings that are not in it. */
export interface Absence {
  readonly recordIds: readonly string[]
  /** Active listings that were looked at. */
  readonly active: number
}

/** @param isNamed whether the file names a record */
export function absentFrom(listings: ReadonlyMap<string, ListingHistory>, isNamed: (recordId: string) => boolean): Absence {
  const active = [...listings].filter(([, history]) => composeListing(history)?.standing === 'active').map(([recordId]) => recordId)
  return { recordIds: active.filter((recordId) => !isNamed(recordId)), active: active.length }
}

/**
 * Whether ending these needs a person's word.
 * @param refused rows of the file that were refused: which records they name nobody knows
 */
export function needsConfirmation(absent: number, active: number, refused: number): boolean {
  return absent > MAX_ENDED || absent > active * MAX_SHARE || (absent > 0 && refused > 0)
}

/** The act by which absence ends a listing. @param day of the file, `YYYY-MM-DD` */
export function absenceAct(recordId: string, day: string): ListingAct {
  return { of: 'listing', recordId, kind: 'ended', wholeState: false, removal: { date: day, path: 'fulfilled', ground: ABSENT } }
}
