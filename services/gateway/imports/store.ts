import { int8Array, textArray, type DbClient, type DbTx } from '@hub/runtime/db'
import type { RowFlag } from '@hub/connectors/verdict'
import type { ImportVerdict } from '@hub/connectors/verdict'
import { NO_FIGURES, type Figures, type RowVerdict } from './figures.ts'

/** `received` waits for its turn, `waiting-confirmation` for a person; the last three are ends. */
export const STATES = ['received', 'running', 'waiting-confirmation', 'reverting', 'done', 'failed', 'reverted'] as const
export type State = (typeof STATES)[number]

/** How a file was recognised: why, and which column is read as which field. Names of columns that nobody knows are not in it. */
export interface Recognised {
  readonly reason: readonly [zh: string, en: string]
  readonly columns: readonly { readonly field: string, readonly column: string }[]
}

export interface ImportRow {
  readonly id: string
  readonly source: string
  readonly caller: string
  readonly authorities: readonly string[]
  readonly gateway: string
  readonly file: string
  readonly sha256: Buffer
  readonly bytes: bigint
  readonly encoding: 'utf-8' | 'gb18030' | null
  readonly delimiter: ',' | ';' | '\t' | null
  readonly dryRun: boolean
  readonly shape: string | null
  readonly confirmed: boolean
  readonly recognised: Recognised | null
  readonly mapping: string | null
  readonly state: State
  readonly position: number
  readonly figures: Figures
  readonly repeats: string | null
  readonly problem: string | null
  /** Of a complete list: records that it does not name any more. */
  readonly absent: number | null
  /** A person has said that these have ended. */
  readonly absenceConfirmed: boolean
  readonly received: Date
  readonly started: Date | null
  readonly ended: Date | null
}

const COLUMNS = `id::text, source, caller, authorities, gateway, file, sha256, bytes, encoding, delimiter, dry_run AS "dryRun", shape, confirmed, recognised, mapping, state,
  position::float8 AS position, figures, repeats::text, problem, absent::float8 AS absent, absence_confirmed AS "absenceConfirmed", received, started, ended`

type Raw = Omit<ImportRow, 'figures'> & { figures: Figures | null }

function rowOf(raw: Raw): ImportRow {
  return { ...raw, figures: raw.figures ?? NO_FIGURES }
}

export type NewImport = Pick<ImportRow, 'id' | 'source' | 'caller' | 'authorities' | 'gateway' | 'file' | 'sha256' | 'bytes' | 'encoding' | 'delimiter' | 'dryRun' | 'shape'>

export async function insertImport(db: DbClient, row: NewImport): Promise<void> {
  await db.query(
    `INSERT INTO import (id, source, caller, authorities, gateway, file, sha256, bytes, encoding, delimiter, dry_run, shape, confirmed, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12::text IS NOT NULL, 'received') ON CONFLICT (id) DO NOTHING`,
    [row.id, row.source, row.caller, row.authorities, row.gateway, row.file, row.sha256, row.bytes, row.encoding, row.delimiter, row.dryRun, row.shape])
}

export async function readImport(db: DbClient, id: string): Promise<ImportRow | undefined> {
  const { rows: [row] } = await db.query<Raw>(`SELECT ${COLUMNS} FROM import WHERE id = $1::uuid`, [id])
  return row === undefined ? undefined : rowOf(row)
}

/** Imports of these sources (null = all), the newest first, those before `before`. */
export async function readImports(db: DbClient, sources: readonly string[] | null, before: string | null, limit: number): Promise<ImportRow[]> {
  const { rows } = await db.query<Raw>(
    `SELECT ${COLUMNS} FROM import WHERE ($1::text[] IS NULL OR source = ANY ($1::text[])) AND ($2::uuid IS NULL OR id < $2::uuid) ORDER BY id DESC LIMIT $3`, [sources, before, limit])
  return rows.map(rowOf)
}

/** Imports of one gateway that have not ended, the oldest first. */
export async function readOpen(db: DbClient, gateway: string): Promise<Pick<ImportRow, 'id' | 'source' | 'state' | 'received'>[]> {
  const { rows } = await db.query<ImportRow>(
    `SELECT id::text, source, state, received FROM import WHERE gateway = $1 AND state IN ('received', 'running', 'waiting-confirmation', 'reverting') ORDER BY id`, [gateway])
  return rows
}

/** An import of the same bytes for the same source that was read to its end, by the same rules and rights. */
export async function readSame(db: DbClient, { source, sha256, shape, encoding, delimiter, authorities }: ImportRow, mapping: string): Promise<ImportRow | undefined> {
  const { rows: [row] } = await db.query<Raw>(
    `SELECT ${COLUMNS} FROM import WHERE source = $1 AND sha256 = $2 AND shape = $3 AND encoding IS NOT DISTINCT FROM $4 AND delimiter IS NOT DISTINCT FROM $5 AND authorities = $6::text[] AND mapping = $7
        AND NOT dry_run AND state = 'done' AND repeats IS NULL ORDER BY id DESC LIMIT 1`, [source, sha256, shape, encoding, delimiter, authorities, mapping])
  return row === undefined ? undefined : rowOf(row)
}

/** Whether the same bytes were read to their end for the same source before, by whatever rules, and stand. */
export async function cameBefore(db: DbClient, { id, source, sha256 }: Pick<ImportRow, 'id' | 'source' | 'sha256'>): Promise<boolean> {
  const { rows } = await db.query(`SELECT 1 FROM import WHERE source = $1 AND sha256 = $2 AND id <> $3::uuid AND NOT dry_run AND state = 'done' LIMIT 1`, [source, sha256, id])
  return rows.length > 0
}

/** Whether another gateway imports for a source now. */
export async function isTaken(db: DbClient, source: string, gateway: string): Promise<boolean> {
  const { rows } = await db.query('SELECT 1 FROM lease WHERE name = $1 AND owner <> $2 AND until > clock_timestamp()', [leaseOf(source), gateway])
  return rows.length > 0
}

/** Name of the lease that a gateway has on a source while it imports for it. */
export function leaseOf(source: string): string {
  return `import/${source}`
}

/** How files of a source and shape were recognised that a person confirmed, each once. */
export async function readConfirmed(db: DbClient, source: string, shape: string): Promise<Recognised[]> {
  const { rows } = await db.query<{ recognised: Recognised }>(
    `SELECT recognised FROM import WHERE source = $1 AND shape = $2 AND confirmed AND recognised IS NOT NULL AND state = 'done' ORDER BY id DESC LIMIT 50`, [source, shape])
  return rows.map(({ recognised }) => recognised)
}

/** Changes of an import's row; what is left out stays. */
export interface Change {
  readonly state?: State
  readonly shape?: string
  readonly recognised?: Recognised
  readonly delimiter?: string | null
  readonly gateway?: string
  readonly confirmed?: boolean
  readonly mapping?: string
  readonly figures?: Figures
  readonly repeats?: string
  readonly problem?: string | null
  readonly absent?: number | null
  readonly absenceConfirmed?: true
  readonly started?: true
  readonly ended?: true
}

/** @param from states in which the change is made, any where left out. False = the import was in none of them */
export async function changeImport(db: DbClient, id: string, change: Change, from: readonly State[] = STATES): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE import SET state = coalesce($3, state), shape = coalesce($4, shape), recognised = coalesce($5::json, recognised), confirmed = coalesce($6, confirmed), mapping = coalesce($7, mapping),
            figures = coalesce($8::json, figures), repeats = coalesce($9::uuid, repeats), problem = CASE WHEN $10 THEN $11 ELSE problem END,
            started = CASE WHEN $12 THEN coalesce(started, clock_timestamp()) ELSE started END, ended = CASE WHEN $13 THEN clock_timestamp() ELSE ended END,
            delimiter = coalesce($14, delimiter), gateway = coalesce($15, gateway), absent = coalesce($16, absent), absence_confirmed = absence_confirmed OR $17
      WHERE id = $1::uuid AND state = ANY ($2::text[])`,
    [id, from, change.state ?? null, change.shape ?? null, jsonOf(change.recognised), change.confirmed ?? null, change.mapping ?? null, jsonOf(change.figures), change.repeats ?? null,
      change.problem !== undefined, change.problem ?? null, change.started === true, change.ended === true, change.delimiter ?? null, change.gateway ?? null, change.absent ?? null, change.absenceConfirmed === true])
  return rowCount === 1
}

/** Moves an import on by so many rows. False = another process did, or it does not run any more: nothing may be written then. */
export async function advance(db: DbTx, id: string, from: number, to: number, figures: Figures): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'import-advance', text: `UPDATE import SET position = $3, figures = $4::json WHERE id = $1::uuid AND position = $2 AND state = 'running'`, values: [id, from, to, JSON.stringify(figures)],
  })
  return rowCount === 1
}

/** Rows of an import are told up to this many. */
export const MAX_TOLD = 10_000

/** Writes what is told of rows; a row of which more is told than before is written over. */
export async function tellRows(db: DbClient, id: string, told: readonly RowVerdict[]): Promise<void> {
  if (told.length === 0) return
  const rows = [...new Map(told.map((row) => [`${row.place.sheet ?? ''}\t${row.place.row}`, row])).values()]
  await db.query({
    name: 'import-tell',
    text: `INSERT INTO import_verdict (import, sheet, row, rows, outcome, flags, problems)
           SELECT $1::uuid, t.* FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[]) AS t (sheet, row, rows, outcome, flags, problems)
           ON CONFLICT (import, sheet, row) DO UPDATE SET rows = excluded.rows, outcome = excluded.outcome, flags = excluded.flags, problems = excluded.problems`,
    values: [
      id, textArray(rows.map(({ place }) => place.sheet ?? '')), int8Array(rows.map(({ place }) => place.row)), int8Array(rows.map((row) => row.rows)), textArray(rows.map(({ verdict }) => verdict)),
      textArray(rows.map(({ flags }) => (flags.length === 0 ? null : flags.join(' ')))), textArray(rows.map(({ problems }) => problems)),
    ],
  })
}

export interface ToldRow {
  readonly sheet: string
  readonly row: number
  readonly rows: number
  readonly outcome: ImportVerdict
  readonly flags: string | null
  readonly problems: string | null
}

/** What is told of an import's rows, in the order of the file, behind `after`. */
export async function readTold(db: DbClient, id: string, after: { sheet: string, row: number } | undefined, limit: number): Promise<ToldRow[]> {
  const { rows } = await db.query<ToldRow>(
    `SELECT sheet, row::float8 AS row, rows::float8 AS rows, outcome, flags, problems FROM import_verdict
      WHERE import = $1::uuid AND (sheet, row) > ($2::text, $3::bigint) ORDER BY sheet, row LIMIT $4`, [id, after?.sheet ?? '', after?.row ?? -1, limit])
  return rows
}

export function toVerdict({ sheet, row, rows, outcome, flags, problems }: ToldRow): RowVerdict {
  return { place: { ...(sheet !== '' && { sheet }), row }, rows, verdict: outcome, flags: (flags?.split(' ') ?? []) as RowFlag[], problems }
}

/** What was told of an earlier import of the same file, for this one. */
export async function repeatTold(db: DbClient, from: string, to: string): Promise<void> {
  await db.query(
    `INSERT INTO import_verdict (import, sheet, row, rows, outcome, flags, problems)
     SELECT $2::uuid, sheet, row, rows, CASE WHEN outcome IN ('refused', 'stale', 'conflict') THEN outcome ELSE 'duplicate' END, flags, problems FROM import_verdict WHERE import = $1::uuid
     ON CONFLICT DO NOTHING`, [from, to])
}

/** Forgets what was told of rows long ago. @param before an id: imports below it are meant */
export async function trimTold(db: DbClient, before: string): Promise<void> {
  await db.query('DELETE FROM import_verdict WHERE import < $1::uuid', [before])
}

/** How many events an import has published, counts of reports included. */
export async function countEvents(db: DbClient, id: string): Promise<number> {
  const { rows: [row] } = await db.query<{ events: number }>('SELECT count(*)::int AS events FROM published WHERE import_id = $1::uuid', [id])
  return row!.events
}

/** The highest sequence that an import wrote, per partition. */
export interface Written {
  readonly topic: string
  readonly partition: number
  readonly sequence: bigint
}

export async function readWritten(db: DbClient, id: string): Promise<Written[]> {
  const { rows } = await db.query<Written>('SELECT topic, partition, max(sequence) AS sequence FROM published WHERE import_id = $1::uuid GROUP BY topic, partition ORDER BY topic, partition', [id])
  return rows
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

/** Imports of the region that have not ended, by state. */
export async function countOpenImports(db: DbClient): Promise<{ state: string; imports: number }[]> {
  const { rows } = await db.query<{ state: string; imports: number }>(
    `SELECT state, count(*)::int AS imports FROM import WHERE state IN ('received', 'running', 'waiting-confirmation', 'reverting') GROUP BY state`)
  return rows
}

/** Forgets rehearsals of files that ended long ago, with what was told of their rows. @param before an id: imports below it are meant */
export async function trimRehearsals(db: DbClient, before: string): Promise<void> {
  await db.query(`DELETE FROM import WHERE id < $1::uuid AND dry_run AND state IN ('done', 'failed')`, [before])
}
