import { ABSENT, composeListing, type ListingAct, type ListingHistory } from './listing.ts'

/** A file that would end more than so many records, or this share of them, waits for a person: it may be half of a list. */
const MAX_ENDED = 50
const MAX_SHARE = 0.02

/** What a complete list does not name any more: the active listings that are not in it, and whether ending them needs a person's word. */
export interface Absence {
  readonly recordIds: readonly string[]
  readonly needsConfirmation: boolean
}

/** @param named record ids that the file names, of rows read as well as of those refused for another reason */
export function absentFrom(listings: ReadonlyMap<string, ListingHistory>, named: ReadonlySet<string>): Absence {
  const active = [...listings].filter(([, history]) => composeListing(history)?.standing === 'active').map(([recordId]) => recordId)
  const recordIds = active.filter((recordId) => !named.has(recordId))
  return { recordIds, needsConfirmation: recordIds.length > MAX_ENDED || recordIds.length > active.length * MAX_SHARE }
}

/** The act by which absence ends a listing. @param day of the file, `YYYY-MM-DD` */
export function absenceAct(recordId: string, day: string): ListingAct {
  return { of: 'listing', recordId, kind: 'ended', wholeState: false, removal: { date: day, path: 'fulfilled', ground: ABSENT } }
}
