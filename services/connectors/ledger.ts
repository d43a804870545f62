import type { DataStream } from '@hub/schemas/streams'
import { composeInspection, inspectionEvent, type InspectionState } from './compose/inspection.ts'
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
    throw new Error('todo')
  }

  /** The counts of all reports taken so far. */
  tallies(): EventInput[] {
    const cells = Map.groupBy([...this.#reports.values()].filter(({ deleted }) => !deleted), ({ cell }) => cellKey(cell))
    return [...cells.values()].map((reports) => tallyEvent(this.#context.source, reports[0]!.cell, reports.length))
  }

  /** The record that first named an order; later ones of the same order point at it. Both count. */
  #linked(event: EventInput, order: string): EventInput {
    const first = this.#orders.get(order)
    if (first === undefined) this.#orders.set(order, event.recordId)
    return first === undefined || first === event.recordId || event.kind === 'void' ? event : { ...event, linkedRecordId: first }
  }
}
