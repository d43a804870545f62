import type { DataStream } from '@hub/schemas/streams'
import { composeInspection, inspectionEvent, type InspectionState } from './compose/inspection.ts'
import { addAct, composeListing, listingEvent, type ListingAct, type ListingHistory, type ListingState } from './compose/listing.ts'
import type { RowResult } from './convert.ts'
import type { Context, EventInput, Shape } from './shape.ts'
import { cellKey, countReport, tallyEvent, type CountedReport } from './tally.ts'
import type { ImportVerdict, Place, RowFlag, RowProblem, SkipRule } from './verdict.ts'

/** What becomes of a row: a verdict, or an event whose verdict the gateway gives. */
export interface Taken {
  readonly place: Place
  readonly flags: readonly RowFlag[]
  readonly rows: number
  readonly verdict?: ImportVerdict
  readonly skip?: SkipRule
  readonly problems?: readonly RowProblem[]
  readonly stream: DataStream
  readonly event?: EventInput
  /** The row whose act the event tells, where it is an earlier one: the gateway's flags are about it. */
  readonly about?: Place
  /** Rows that waited for this one and are in with it. */
  readonly settled?: readonly Place[]
}

/**
 * What a connector remembers between rows and files: reports by their hashes, acts on listings, orders that link disputes. This one forgets at its end; it serves
 * tests and rehearsals.
 */
export class Ledger {
  readonly #shape: Shape
  readonly #context: Context
  readonly #reports = new Map<string, CountedReport>()
  readonly #orders = new Map<string, string>()
  readonly #inspections = new Map<string, InspectionState>()
  readonly #listings = new Map<string, ListingHistory>()
  readonly #places = new Map<ListingAct, Place>()

  constructor(shape: Shape, context: Context) {
    this.#shape = shape
    this.#context = context
  }

  take(result: RowResult): Taken {
    const { place, flags } = result
    const taken = { place, flags, rows: 1, stream: this.#shape.stream }
    if (result.kind === 'skipped') return { ...taken, verdict: 'skipped', skip: result.rule }
    if (result.kind === 'refused') return { ...taken, rows: result.rows, verdict: 'refused', problems: result.problems }
    const { outcome } = result
    if ('event' in outcome) return { ...taken, event: outcome.link === undefined ? outcome.event : this.#linked(outcome.event, outcome.link) }
    if ('tally' in outcome) {
      const { verdict, report } = countReport(this.#reports.get(outcome.tally.report), outcome.tally)
      this.#reports.set(outcome.tally.report, report)
      return { ...taken, verdict }
    }
    if ('noted' in outcome) return { ...taken, verdict: 'accepted' }
    if (outcome.act.of === 'inspection') {
      const { state, late, changed } = composeInspection(this.#inspections.get(outcome.act.recordId), outcome.act)
      this.#inspections.set(outcome.act.recordId, state)
      return late && !changed ? { ...taken, verdict: 'stale' } : { ...taken, event: inspectionEvent(state) }
    }
    return { ...taken, ...this.#listed(outcome.act, place) }
  }

  /** The counts of all reports taken so far. */
  tallies(): EventInput[] {
    const cells = Map.groupBy([...this.#reports.values()].filter(({ deleted }) => !deleted), ({ cell }) => cellKey(cell))
    return [...cells.values()].map((reports) => tallyEvent(this.#context.source, reports[0]!.cell, reports.length))
  }

  /** Listings as the acts taken so far leave them, by record id. */
  listings(): Map<string, ListingState> {
    return new Map([...this.#listings].flatMap(([id, history]) => {
      const state = composeListing(history)
      return state === undefined ? [] : [[id, state] as const]
    }))
  }

  #listed(act: ListingAct, place: Place): Pick<Taken, 'verdict' | 'event' | 'about' | 'settled'> {
    const before = this.#listings.get(act.recordId) ?? []
    const { verdict, history } = addAct(before, act)
    if (verdict === 'duplicate' || verdict === 'stale' || verdict === 'conflict') return { verdict }
    this.#listings.set(act.recordId, history)
    this.#places.set(act, place)
    if (verdict === 'waiting') return { verdict }
    const state = composeListing(history)!
    const about = this.#places.get(state.last)
    const settled = before.length > 0 && composeListing(before) === undefined ? before.flatMap((one) => this.#places.get(one) ?? []) : []
    return { event: listingEvent(act.recordId, state), ...(about !== undefined && { about }), settled }
  }

  /** The record that first named an order; later ones of the same order point at it. Both count. */
  #linked(event: EventInput, order: string): EventInput {
    const first = this.#orders.get(order)
    if (first === undefined) this.#orders.set(order, event.recordId)
    return first === undefined || first === event.recordId || event.kind === 'void' ? event : { ...event, linkedRecordId: first }
  }
}
