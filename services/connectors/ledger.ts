import { hash } from 'node:crypto'
import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import type { DataStream } from '@hub/schemas/streams'
import { composeInspection, inspectionEvent, type InspectionState } from './compose/inspection.ts'
import { addAct, composeListing, listingEvent, type ListingAct, type ListingHistory, type ListingState } from './compose/listing.ts'
import type { InspectionAct } from './compose/act.ts'
import type { RowResult } from './convert.ts'
import type { Context } from './context.ts'
import type { EventInput } from './event-input.ts'
import type { Shape } from './shape.ts'
import { cellKey, countReport, tallyEvent, type CountedReport } from './tally.ts'
import type { ImportVerdict, Place, RowFlag, RowProblem, SkipRule } from './verdict.ts'

/** What becomes of a row: a verdict, or an event whose verdict the gateway gives. */
export interface Taken {
  readonly place: Place
  readonly flags: readonly RowFlag[]
  /** More than one only where a file was refused from here on. */
  readonly rows: number
  readonly verdict?: ImportVerdict
  readonly skip?: SkipRule
  readonly problems?: readonly RowProblem[]
  readonly stream: DataStream
  readonly event?: EventInput | undefined
  /** The row whose act the event tells, where it is an earlier one: the gateway's flags are about it. */
  readonly about?: Place
  /** Rows that waited for this one and are in with it. */
  readonly settled?: readonly Place[]
}

/** What a connector remembers of its source between rows and files. All values are plain but for the maps, and small: no row is kept. */
export interface Memory {
  /** By keyed hash of the report's number. */
  readonly reports: Map<string, CountedReport>
  /** By keyed hash of an order's number: the record that named it first. */
  readonly orders: Map<string, string>
  /** By record id. */
  readonly inspections: Map<string, InspectionState>
  /** By record id. */
  readonly listings: Map<string, ListingHistory>
}

export function emptyMemory(): Memory {
  return { reports: new Map(), orders: new Map(), inspections: new Map(), listings: new Map() }
}

/** Where in the memory a row will be looked up, so that what is stored can be fetched for many rows at once. */
export function keyOf(result: RowResult): { readonly in: keyof Memory, readonly key: string } | undefined {
  if (result.kind !== 'read') return undefined
  const { outcome } = result
  if ('tally' in outcome) return { in: 'reports', key: outcome.tally.report }
  if ('act' in outcome) return { in: outcome.act.of === 'listing' ? 'listings' : 'inspections', key: outcome.act.recordId }
  return 'event' in outcome && outcome.link !== undefined ? { in: 'orders', key: outcome.link } : undefined
}

/** Composes records from rows and gives the verdicts that do not need what was published. One per import; the memory outlives it. */
export class Ledger {
  readonly memory: Memory
  readonly #shape: Shape
  readonly #context: Context
  readonly #today: string
  /** Rows of this import by what they say: the memory may be stored and read between two of them. */
  readonly #places = new Map<string, Place>()

  constructor(shape: Shape, context: Context, memory = emptyMemory()) {
    this.#shape = shape
    this.#context = context
    this.#today = dateText(shanghaiDay(context.now))
    this.memory = memory
  }

  take(result: RowResult): Taken {
    const { place, flags } = result
    const taken = { place, flags, rows: 1, stream: this.#shape.stream }
    if (result.kind === 'skipped') return { ...taken, verdict: 'skipped', skip: result.rule }
    if (result.kind === 'refused') return { ...taken, rows: result.rows, verdict: 'refused', problems: result.problems }
    const { outcome } = result
    if ('noted' in outcome) return { ...taken, verdict: 'accepted' }
    if ('event' in outcome) return { ...taken, event: outcome.link === undefined ? outcome.event : this.#linked(outcome.event, outcome.link) }
    if ('act' in outcome) return { ...taken, ...(outcome.act.of === 'listing' ? this.#listed(outcome.act, place) : this.#inspected(outcome.act)) }
    const { verdict, report } = countReport(this.memory.reports.get(outcome.tally.report), outcome.tally)
    this.memory.reports.set(outcome.tally.report, report)
    return { ...taken, verdict }
  }

  /** Passes over a row that was taken before the import was interrupted. */
  replay(result: RowResult): void {
    if (result.kind === 'read' && 'act' in result.outcome && result.outcome.act.of === 'listing') this.#note(result.outcome.act, result.place)
  }

  /** The counts of all reports remembered. */
  tallies(): EventInput[] {
    const cells = Map.groupBy([...this.memory.reports.values()].filter(({ deleted }) => !deleted), ({ cell }) => cellKey(cell))
    return [...cells.values()].map((reports) => tallyEvent(this.#context.source, reports[0]!.cell, reports.length))
  }

  /** Listings as the acts remembered leave them, by record id; those that nobody has told of yet are left out. */
  listings(): Map<string, ListingState> {
    return new Map([...this.memory.listings].flatMap(([id, history]) => {
      const state = composeListing(history)
      return state === undefined ? [] : [[id, state] as const]
    }))
  }

  #note(act: ListingAct, place: Place): void {
    const key = hashOf(act)
    // A row that says the same again is not the one that was taken.
    if (!this.#places.has(key)) this.#places.set(key, place)
  }

  #inspected(act: InspectionAct): Pick<Taken, 'verdict' | 'event'> {
    const { state, late, changed } = composeInspection(this.memory.inspections.get(act.recordId), act)
    this.memory.inspections.set(act.recordId, state)
    return late && !changed ? { verdict: 'stale' } : { event: inspectionEvent(state) }
  }

  #listed(act: ListingAct, place: Place): Pick<Taken, 'verdict' | 'event' | 'about' | 'settled'> {
    const before = this.memory.listings.get(act.recordId) ?? []
    const { verdict, history } = addAct(before, act, this.#today)
    if (verdict === 'duplicate' || verdict === 'stale' || verdict === 'conflict') return { verdict }
    this.memory.listings.set(act.recordId, history)
    this.#note(act, place)
    if (verdict === 'waiting') return { verdict }
    const state = composeListing(history)!
    const about = this.#places.get(hashOf(state.last))
    const settled = composeListing(before) === undefined ? before.flatMap((one) => this.#places.get(hashOf(one)) ?? []) : []
    return { event: listingEvent(act.recordId, state), ...(about !== undefined && { about }), settled }
  }

  /** The record that first named an order; later ones of the same order point at it. Both count. */
  #linked(event: EventInput, order: string): EventInput {
    const first = this.memory.orders.get(order)
    if (first === undefined) this.memory.orders.set(order, event.recordId)
    return first === undefined || first === event.recordId || event.kind === 'void' ? event : { ...event, linkedRecordId: first }
  }
}

function hashOf(act: ListingAct): string {
  return hash('sha256', JSON.stringify(act), 'base64')
}
