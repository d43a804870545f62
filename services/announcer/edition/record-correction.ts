import { COUNTED_COLUMNS, Counting, ROLLUP_TABLES, type Countable } from '@hub/schemas/rollups'
import type { Region } from '@hub/schemas/streams'
import type { Cells } from '../figures/cells.ts'
import { cellsOf } from '../figures/from-rollups.ts'
import type { Correction } from './corrections.ts'

/** What decides whom a complaint names; the rest of it is progress. */
const TRADER = ['uscc', 'trader_name', 'entity_type', 'publication'].map((name) => COUNTED_COLUMNS.complaint.indexOf(name as (typeof COUNTED_COLUMNS.complaint)[number]))
const KIND = COUNTED_COLUMNS.complaint.indexOf('kind')

/**
 * A record that named the wrong trader at the cut: it counts as it did, for the trader it names now. What else has become of it is no correction.
 * @throws RangeError when it names the same trader
 */
export function wrongTrader(region: Region, recordId: string, atCut: Countable, now: Countable): Correction {
  const right = atCut.map((value, at) => (TRADER.includes(at) ? now[at]! : value))
  const [before, after] = [cellsOfRecord(region, atCut), cellsOfRecord(region, right)]
  if (JSON.stringify(before.traders) === JSON.stringify(after.traders)) throw new RangeError(`${recordId}：截数时与现在为同一经营者，不属更正 / it counted for the same trader at the cut as now: that is no correction`)
  return { region, reason: 'wrong-trader', recordId, before, after }
}

/**
 * A record that should never have been: it counts nowhere.
 * @param atCut what it counted for; its origin says so, for nobody keeps what was voided
 * @throws RangeError unless it is void now
 */
export function voidedRecord(region: Region, recordId: string, atCut: Countable, now: Countable): Correction {
  if (now[KIND] !== 'void') throw new RangeError(`${recordId}：尚未撤销(void)，不属更正 / it is not void: publish that first`)
  return { region, reason: 'voided', recordId, before: cellsOfRecord(region, atCut), after: null }
}

function cellsOfRecord(region: Region, values: Countable): Cells {
  const counting = new Counting()
  counting.change('complaint', undefined, values)
  return cellsOf(region, Object.fromEntries(ROLLUP_TABLES.map((table) => [table, counting.cells(table)])))
}
