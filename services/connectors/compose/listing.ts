import { instantText } from '@hub/schemas/record-json'
import { present } from '../present.ts'
import type { Authority } from '../reference/authorities.ts'
import type { EventInput } from '../event-input.ts'

/** What a row says of a listing itself: the contract's fields. */
export interface ListingFacts {
  readonly listType: 'abnormal' | 'serious' | 'sole-trader-mark'
  readonly subject: Readonly<Record<string, unknown>>
  readonly listedOn: string
  readonly listedBy?: Authority | undefined
  readonly groundText?: string | undefined
  readonly decisionNo?: string | undefined
  readonly publishedOn?: string | undefined
}

/** How a listing ended. */
export interface Removal {
  readonly date: string
  readonly path: 'fulfilled' | 'repair' | 'deregistered' | 'recovered'
  readonly ground: string
  readonly groundText?: string | undefined
  readonly authority?: Authority | undefined
  readonly decisionNo?: string | undefined
}

/**
 * What one row says of a listing: that it was made, ended or restored, or never was. A row of a register tells the listing's facts with it, a row of a removal
 * notice does not. `time` (ms) orders the rows of a change feed; without it the acts of a listing have their order by law.
 */
export interface ListingAct {
  readonly of: 'listing'
  readonly recordId: string
  readonly kind: 'listed' | 'ended' | 'restored' | 'voided'
  /** True where each row tells the whole state, so that one that tells less is older. */
  readonly wholeState: boolean
  readonly time?: number | undefined
  readonly listing?: ListingFacts | undefined
  readonly removal?: Removal | undefined
  readonly restoredOn?: string | undefined
  readonly restoredBy?: Authority | undefined
}

/** Acts of one listing, each once. */
export type ListingHistory = readonly ListingAct[]

export type ListingVerdict = 'taken' | 'waiting' | 'duplicate' | 'stale' | 'conflict'

const RANK: Readonly<Record<ListingAct['kind'], number>> = { listed: 0, ended: 1, restored: 2, voided: 3 }

/** The ground of a removal that no one decided: a complete list does not name the listing any more. */
export const ABSENT = 'absent-from-list'

/**
 * Takes an act into a history. Known already: `duplicate`. Told by a row older than the newest: `stale`. Of a listing nobody has told of yet: `waiting`, until that
 * comes. A change with the time of another but other content is a `conflict`; the first stands. A listing that had ended by absence alone and is named again is restored.
 * @param today `YYYY-MM-DD`, Asia/Shanghai
 */
export function addAct(history: ListingHistory, act: ListingAct, today: string): { verdict: ListingVerdict, history: ListingHistory } {
  const standing = inOrder(history).at(-1)
  if (act.kind === 'listed' && standing?.kind === 'ended' && standing.removal!.ground === ABSENT) return { verdict: 'taken', history: [...history, { ...act, kind: 'restored', restoredOn: today }] }
  if (history.some((one) => JSON.stringify(one) === JSON.stringify(act))) return { verdict: act.wholeState && standing!.kind !== act.kind && act.time === undefined ? 'stale' : 'duplicate', history }
  if (act.time !== undefined) {
    if (history.some(({ time }) => time === act.time)) return { verdict: 'conflict', history }
    if (standing?.time !== undefined && act.time < standing.time) return { verdict: 'stale', history }
  } else if (act.wholeState && standing !== undefined && RANK[act.kind] < RANK[standing.kind]) return { verdict: 'stale', history }
  // The same act in other words corrects the first.
  const longer = [...history.filter((one) => act.time !== undefined || one.kind !== act.kind || dayOf(one) !== dayOf(act)), act]
  return { verdict: composeListing(longer) === undefined ? 'waiting' : 'taken', history: longer }
}

/** What a listing has come to. */
export interface ListingState {
  readonly facts: ListingFacts | undefined
  /** `undecided` = ended before it was made, which no decision can. */
  readonly standing: 'active' | 'ended' | 'undecided' | 'voided'
  readonly last: ListingAct
  readonly removal?: Removal | undefined
  /** Ended before, and active again. */
  readonly restored: boolean
}

/** Pure: the state that all acts known so far amount to; `undefined` while the listing itself is unknown. */
export function composeListing(history: ListingHistory): ListingState | undefined {
  const ordered = inOrder(history)
  const last = ordered.at(-1)
  const facts = factsOf(history)
  if (last === undefined) return undefined
  if (last.kind === 'voided') return { facts, standing: 'voided', last, restored: false }
  if (facts === undefined) return undefined
  if (last.kind === 'ended') return { facts, standing: last.removal!.date < facts.listedOn ? 'undecided' : 'ended', last, removal: last.removal, restored: false }
  return { facts, standing: 'active', last, restored: ordered.some(({ kind }) => kind === 'ended') }
}

/** Rules of the list: those before 2021-09-01 are another list (Order 44). */
const REGIME_CHANGE = '2021-09-01'

export function regimeOf({ listType, listedOn }: ListingFacts): 'before-2021-09' | 'since-2021-09' | undefined {
  return listType !== 'serious' ? undefined : listedOn < REGIME_CHANGE ? 'before-2021-09' : 'since-2021-09'
}

/** The event of a state. An ended listing is the stub's fields, and who listed it, so that another authority's removal is noticed. */
export function listingEvent(recordId: string, { facts, standing, last, removal, restored }: ListingState): EventInput {
  const recordedAt = last.time === undefined ? undefined : instantText(last.time)
  if (standing === 'voided' || facts === undefined) return present({ recordId, kind: 'void', authority: facts?.listedBy, occurredOn: recordedAt?.slice(0, 10) ?? facts?.listedOn, recordedAt })
  if (standing === 'ended') {
    return present({ recordId, kind: removal!.path === 'repair' ? 'repair' : 'removal', authority: removal!.authority ?? facts.listedBy, listedBy: facts.listedBy, occurredOn: removal!.date, recordedAt })
  }
  const { listedBy, ...listing } = facts
  return present({
    recordId,
    kind: standing === 'undecided' ? 'follow-up' : restored ? 'restored' : 'original',
    authority: restored ? last.restoredBy ?? listedBy : listedBy,
    occurredOn: standing === 'undecided' ? removal!.date : restored ? last.restoredOn ?? facts.listedOn : facts.listedOn,
    recordedAt,
    recordType: 'listing',
    ...present(listing),
    regime: regimeOf(facts),
    listedBy,
    removal: standing === 'undecided' ? present({ ...removal! }) : undefined,
    publication: 'published',
  })
}

/** By the source's time where it has one; else the listing first, then ends and restorations by their days, one without a day last. */
function inOrder(history: ListingHistory): ListingAct[] {
  if (history.every(({ time }) => time !== undefined)) return history.toSorted((a, b) => a.time! - b.time!)
  return history.toSorted((a, b) => Number(a.kind !== 'listed') - Number(b.kind !== 'listed') || dayOf(a).localeCompare(dayOf(b)) || RANK[a.kind] - RANK[b.kind])
}

function dayOf({ kind, removal, restoredOn }: ListingAct): string {
  return kind === 'listed' ? '' : kind === 'ended' ? removal!.date : restoredOn ?? '9999'
}

/** The newest facts: of a change feed by its time, else by what came last. */
function factsOf(history: ListingHistory): ListingFacts | undefined {
  const told = history.filter(({ listing }) => listing !== undefined)
  return (told.every(({ time }) => time !== undefined) ? inOrder(told) : told).at(-1)?.listing
}
