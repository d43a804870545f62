import { type Cell, Counting, countableOf, isRolled, ROLLUP_TABLES, type RolledStream, ROLLUPS, type RollupTable } from '@hub/schemas/rollups'
import { type Place, readBody } from './check-row.ts'
import { cellDifferences, type Finding } from './difference.ts'
import { replay } from './localise.ts'
import type { Repairing } from './repair.ts'
import { copiedAs, type KeptCut, readCopy, readKeptCuts, replaceCopy, wasRedrivenBelow } from './store/cut-copies.ts'
import { fence } from './store/lease.ts'
import { readReplayedBodies } from './store/replay.ts'
import { writeAudit } from './store/repair.ts'

const MOST_TOLD = 100

/**
 * Puts the copies behind a partition's cut markers right: rows or counts that were wrong before a marker were copied with it, and no repair of today's rows reaches
 * them. Each is counted anew from the log up to its marker. Left alone are copies that the log cannot decide any more: compaction took versions that
 * counted then, or events were redriven since.
 */
export async function recopyCuts(options: Repairing, place: Place, signal: AbortSignal): Promise<Finding[]> {
  const { main } = options
  const { stream } = place
  if (!isRolled(stream)) return []
  const findings: Finding[] = []
  for (const cut of await readKeptCuts(main, place)) {
    if (await wasRedrivenBelow(main, place, cut.offset)) continue
    if (await replay(options, place, cut.offset, signal) > 0) continue
    findings.push(...await recopy(options, place, cut, await countReplayed(options, place, stream)))
  }
  return findings
}

async function recopy({ main, lease, leaseMs, who, why }: Repairing, place: Place, cut: KeptCut, counting: Counting): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const table of tablesOf(place.stream)) {
    const cells = copiedCells(table, cut, counting.cells(table))
    const found = cellDifferences(table, await readCopy(main, table, cut), cells, MOST_TOLD)
    if (found.length === 0) continue
    const named = found.map((one) => ({ ...one, recordId: `${cut.campaign}/${cut.year}/${one.recordId}` }))
    await main.tx(async (c) => {
      await fence(c, lease.epoch, leaseMs, 0)
      replaceCopy(c, table, cut, cells)
      writeAudit(c, named.map(({ recordId, what, fields }) => ({ who, what: `repair ${what}`, target: `${place.topic}/${place.partition}/${recordId}`, why, detail: { fields } })))
    })
    findings.push(...named)
  }
  return findings
}

/** The cells as a marker copies them: days of one period added up. */
function copiedCells(table: RollupTable, cut: KeptCut, cells: readonly Cell[]): Cell[] {
  const at = ROLLUPS[table].keys.findIndex(([name]) => name === 'day')
  const copied = new Map<string, Cell>()
  for (const { keys, sums, money } of cells) {
    const day = copiedAs(table, cut, keys[at]!)
    if (day === undefined) continue
    const as = keys.with(at, day)
    const name = as.join('\0')
    const known = copied.get(name)
    if (known === undefined) {
      copied.set(name, { keys: as, sums: [...sums], money })
      continue
    }
    for (const [i, sum] of sums.entries()) known.sums[i]! += sum
    known.money += money
  }
  return [...copied.values()]
}

/** What the records of the replay count for. */
async function countReplayed({ db, codec }: Pick<Repairing, 'db' | 'codec'>, place: Place, stream: RolledStream): Promise<Counting> {
  const counting = new Counting()
  for await (const rows of readReplayedBodies(db)) {
    for (const { key, offset, body } of rows) {
      const item = readBody(codec, place, key, body, offset)
      if (item instanceof Promise || typeof item === 'string') throw new Error(`what the log has of a record of ${place.topic}/${place.partition} cannot be read any more`)
      counting.change(stream, undefined, countableOf(stream, item))
    }
  }
  return counting
}

function tablesOf(stream: string): RollupTable[] {
  return ROLLUP_TABLES.filter((table) => ROLLUPS[table].stream === stream)
}
