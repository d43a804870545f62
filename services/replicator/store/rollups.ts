import { dateArray, type DbClient, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import { type Cell, COUNTED_COLUMNS, Counting, countableOf, type Countable, isRolled, ROLLUP_TABLES, type RolledStream, ROLLUPS, type RollupTable } from '@hub/schemas/rollups'
import type { Place } from '../check-row.ts'
import type { RecordItem } from '@hub/schemas/log-item'

/** A cell that changes, and the partition it is of. */
interface PlacedCell extends Cell {
  readonly region: string
  readonly partition: number
}

/** What counting a record anew needs of its row: the select list of its columns as text, to be read with `countedOf`; '' of a stream without counts. */
export function countedSql(stream: string): string {
  return isRolled(stream) ? COUNTED_COLUMNS[stream].map((name) => `, ${name}::text AS "=${name}"`).join('') : ''
}

export function countedOf(stream: RolledStream, row: Readonly<Record<string, unknown>>): Countable {
  return NAMES[stream].map((name) => row[name] as string | null)
}

const NAMES = { complaint: COUNTED_COLUMNS.complaint.map((name) => `=${name}`), tally: COUNTED_COLUMNS.tally.map((name) => `=${name}`) }

/** Rows of one partition that change: what each counted for, and the version it is of from now on. */
export interface Recounted {
  readonly region: string
  readonly partition: number
  readonly changes: readonly { readonly before: Countable | undefined; readonly item: RecordItem }[]
}

/** Keeps the counts of a stream with the rows that are written in this transaction: one statement a table, one more where cells may have become empty. */
export function keepRollups(c: DbTx, stream: string, parts: readonly Recounted[]): void {
  if (!isRolled(stream)) return
  const countings = parts.map(({ changes }) => {
    const counting = new Counting()
    for (const { before, item } of changes) counting.change(stream, before, countableOf(stream, item))
    return counting
  })
  for (const table of ROLLUP_TABLES) {
    const cells = countings.flatMap((counting, i) => counting.cells(table).map((cell) => ({ ...cell, region: parts[i]!.region, partition: parts[i]!.partition })))
    if (cells.length === 0) continue
    c.send({ name: `roll up ${table}`, text: SQL[table].add, values: arrays(table, cells) })
    const fewer = cells.filter(({ sums }) => sums[0]! < 0)
    if (fewer.length > 0) c.send({ name: `empty ${table}`, text: SQL[table].empty, values: keyArrays(table, fewer) })
  }
}

/** All cells of a partition as they are kept. */
export async function readCells(c: DbClient, table: RollupTable, { region, partition }: Pick<Place, 'region' | 'partition'>, from: RollupTable | `${RollupTable}_recount` = table): Promise<Cell[]> {
  const { keys, sums, money } = ROLLUPS[table]
  const { rows } = await c.query<{ keys: string[]; sums: string[]; money: string }>({
    text: `SELECT ARRAY[${keys.map(([name]) => `${name}::text`).join(', ')}] AS keys, ARRAY[${sums.join(', ')}]::text[] AS sums, ${money ?? 0}::text AS money FROM ${from} WHERE region = $1 AND partition = $2`,
    values: [region, partition],
  })
  return rows.map((row) => ({ keys: row.keys, sums: row.sums.map(Number), money: BigInt(row.money) }))
}

/** Counts a partition anew from its rows. The applier row must be held. */
export function recountPartition(c: DbTx, { stream, region, partition }: Place): void {
  for (const table of ROLLUP_TABLES) {
    if (ROLLUPS[table].stream !== stream) continue
    c.send({ text: `DELETE FROM ${table} WHERE region = $1 AND partition = $2`, values: [region, partition] })
    c.send({ text: `INSERT INTO ${table} SELECT * FROM ${table}_recount WHERE region = $1 AND partition = $2`, values: [region, partition] })
  }
}

function sql(table: RollupTable): { add: string; empty: string } {
  const { keys, sums, money } = ROLLUPS[table]
  const place = [['region', 'text'], ['partition', 'int4']] as const
  const key = [...place, ...keys].map(([name]) => name)
  const added = [...sums, ...(money === null ? [] : [money])]
  const types = [...[...place, ...keys].map(([, type]) => type), ...sums.map(() => 'int8'), ...(money === null ? [] : ['text[]::numeric'])]
  return {
    add: `INSERT INTO ${table} AS t (${[...key, ...added].join(', ')}) SELECT * FROM unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')})
          ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${added.map((name) => `${name} = t.${name} + excluded.${name}`).join(', ')}`,
    empty: `DELETE FROM ${table} t USING unnest(${types.slice(0, key.length).map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) AS k (${key.join(', ')})
             WHERE ${key.map((name) => `t.${name} = k.${name}`).join(' AND ')} AND t.${sums[0]} = 0`,
  }
}

const SQL = Object.fromEntries(ROLLUP_TABLES.map((table) => [table, sql(table)])) as Record<RollupTable, ReturnType<typeof sql>>

function keyArrays(table: RollupTable, cells: readonly PlacedCell[]): Buffer[] {
  return [
    textArray(cells.map(({ region }) => region)),
    int4Array(cells.map(({ partition }) => partition)),
    ...ROLLUPS[table].keys.map(([, pgType], i) => (pgType === 'date' ? dateArray : textArray)(cells.map(({ keys }) => keys[i]!))),
  ]
}

function arrays(table: RollupTable, cells: readonly PlacedCell[]): Buffer[] {
  const { sums, money } = ROLLUPS[table]
  return [
    ...keyArrays(table, cells),
    ...sums.map((_, i) => int8Array(cells.map((cell) => cell.sums[i]!))),
    ...(money === null ? [] : [textArray(cells.map((cell) => String(cell.money)))]),
  ]
}
