import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import { countableOf, Counting, isRolled, ROLLUP_TABLES, ROLLUPS } from '@hub/schemas/rollups'
import { type Digest, xor } from './apply.ts'
import { keptOf, type KeptRow, type Place, readBody } from './check-row.ts'
import type { RecordItem } from '@hub/schemas/log-item'
import type { ParkReason } from '@hub/schemas/park'
import { cellDifferences, type Finding } from './difference.ts'
import { readCells } from './store/rollups.ts'
import { type Kept, readKept, readRows } from './store/scrub.ts'

/** Rows that are looked at before others get their turn: 4 ms of the event loop. */
const SLICE = 400
/** Wrong rows remembered; beyond that the partition is wrong as a whole. */
export const MOST_WRONG = 5_000

/** Wrong counts told of a table: they are put right together. */
const MOST_MISCOUNTED = 100

/** What a pass over one partition found, all of it in one snapshot. */
export interface Pass {
  readonly kept: Kept
  readonly rows: number
  /** Records whose columns are not what their own bytes say, at most `MOST_WRONG`. */
  readonly wrong: readonly string[]
  /** Digest and number of the rows are those that are kept. */
  readonly rowsMatch: boolean
  /** Counts that the rows do not give. */
  readonly miscounted: readonly Finding[]
}

/** How much of the time the scrubber takes: waits after each slice of work. */
export type Pace = (workedMs: number) => Promise<void>

/**
 * Recomputes a partition from its rows: every column from the body's bytes, digest, numbers and counts from what they give, in one snapshot that lasts as long as
 * the pass. @returns undefined where this replica has no such partition. Throws (retriable) while the registry does not tell a schema.
 */
export async function scrubPartition(db: Db, codec: Codec, place: Place, pace: Pace, signal: AbortSignal): Promise<Pass | undefined> {
  return db.tx(async (c) => {
    await c.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const kept = await readKept(c, place)
    if (kept === undefined) return undefined
    const counting = new Counting()
    const rolled = isRolled(place.stream) ? place.stream : undefined
    const digest: Digest = { hi: 0n, lo: 0n }
    const wrong: string[] = []
    let [records, ended] = [0, 0]
    for await (const rows of readRows(c, place, SLICE)) {
      signal.throwIfAborted()
      const began = performance.now()
      for (const row of rows) {
        let item = readBody(codec, place, row.record_id, row.body)
        // A promise for every row would be a fifth of the work.
        if (item instanceof Promise) item = await whenKnown(codec, place, row, item)
        records++
        if (typeof item !== 'string') {
          xor(digest, item.hash)
          if (item.ended) ended++
          if (rolled !== undefined) counting.change(rolled, undefined, countableOf(rolled, item))
        }
        if ((typeof item === 'string' || keptOf(item) !== row.kept) && wrong.length < MOST_WRONG) wrong.push(row.record_id)
      }
      await pace(performance.now() - began)
    }
    const rowsMatch = wrong.length === 0 && kept.parkedMatches && digest.hi === kept.hi && digest.lo === kept.lo && records === kept.records && ended === kept.endedRecords
    const miscounted: Finding[] = []
    for (const table of ROLLUP_TABLES) {
      if (ROLLUPS[table].stream === rolled) miscounted.push(...cellDifferences(table, await readCells(c, table, place), counting.cells(table), MOST_MISCOUNTED))
    }
    return { kept, rows: records, wrong, rowsMatch, miscounted }
  })
}

async function whenKnown(codec: Codec, place: Place, { record_id: key, body }: KeptRow, known: Promise<void>): Promise<RecordItem | ParkReason> {
  await known
  const item = readBody(codec, place, key, body)
  if (item instanceof Promise) throw new Error('a schema of this partition is not known now')
  return item
}
