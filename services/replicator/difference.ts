import { type Field, type RecordShape, type Shape, shapeOf } from '@hub/schemas/avro-schema'
import type { Contract } from '@hub/schemas/contracts'
import { type Cell, ROLLUPS, type RollupTable } from '@hub/schemas/rollups'
import { hash } from 'node:crypto'

/** One field in which a row differs from what the log makes of it. Values that may not be shown are hashes, which only tell them apart. */
export interface FieldDifference {
  readonly field: string
  /** As it stands in the replica; null = no value. */
  readonly here: string | null
  /** As the log has it. */
  readonly log: string | null
}

/** A record or a count that differs, as it is reported and audited. */
export interface Finding {
  /** Of a count its table and cell: `complaint_day/2026-03-15/closed/settled/yes`. */
  readonly recordId: string
  /** `unverifiable`: the log no longer has what would decide; such a row is left alone. `miscounted`: a count that its rows do not give. */
  readonly what: 'missing' | 'surplus' | 'changed' | 'unverifiable' | 'miscounted'
  readonly fields: readonly FieldDifference[]
}

/** Compares the cells of a table as they are kept with those that the rows give, the first `most` that differ. A firm's name is left out: its code tells it. */
export function cellDifferences(table: RollupTable, kept: readonly Cell[], counted: readonly Cell[], most: number): Finding[] {
  const { keys, sums, money } = ROLLUPS[table]
  const nameOf = (cell: Cell): string => cell.keys.join('\0')
  const [here, rows] = [kept, counted].map((cells) => new Map(cells.map((cell) => [nameOf(cell), cell]))) as [Map<string, Cell>, Map<string, Cell>]
  const findings: Finding[] = []
  for (const name of new Set([...here.keys(), ...rows.keys()])) {
    const [one, other] = [here.get(name), rows.get(name)]
    const values = (cell: Cell | undefined): string[] => [...sums.map((_, i) => String(cell?.sums[i] ?? 0)), ...(money === null ? [] : [String(cell?.money ?? 0n)])]
    const [has, gives] = [values(one), values(other)]
    const fields = [...sums, ...(money === null ? [] : [money])].flatMap((field, i) => (has[i] === gives[i] ? [] : [{ field, here: has[i]!, log: gives[i]! }]))
    if (fields.length > 0) findings.push({ recordId: [table, ...(one ?? other)!.keys.filter((_, i) => keys[i]![0] !== 'name')].join('/'), what: 'miscounted', fields })
    if (findings.length === most) break
  }
  return findings
}

/** Columns that are the hub's own. */
const TECHNICAL = new Set(['version', 'kind', 'ended', 'event_id', 'hash', 'log_offset'])

/** Compares what stands in columns, name by name. */
export function columnDifferences(contract: Contract, names: readonly string[], here: readonly (string | null)[], log: readonly (string | null)[]): FieldDifference[] {
  const shown = showableColumns(contract)
  return names.flatMap((name, i) => {
    const [one = null, other = null] = [here[i], log[i]]
    if (one === other) return []
    const show = TECHNICAL.has(name) || shown.has(name)
    return [{ field: name, here: show ? one : hidden(one), log: show ? other : hidden(other) }]
  })
}

/** Compares two records in their Avro form, field by field, down to nested ones (`body.trader.name`); a list is compared as a whole. */
export function bodyDifferences(contract: Contract, here: Record<string, unknown>, log: Record<string, unknown>): FieldDifference[] {
  return [...recordDifferences(shapeOf(contract.schema), here, log, 'body.')]
}

/** Bytes that are no record cannot be compared field by field. */
export function bytesDifference(here: Buffer, log: Buffer): FieldDifference[] {
  return here.equals(log) ? [] : [{ field: 'body', here: hidden(here), log: hidden(log) }]
}

/** Texts stand for themselves only where they are codes or identities: names, addresses and official wording may tell of a person. */
export function isShowable(field: Field, shape: Shape): boolean {
  if (field.visibility !== 'public' && field.visibility !== 'bureaus') return false
  if (shape.kind === 'record' || shape.items?.record !== undefined || shape.kind === 'bytes') return false
  const text = shape.kind === 'string' || shape.items?.kind === 'string'
  return !text || field.codes !== undefined || field.format === 'gb2260' || field.format === 'uuid' || field.format === 'record-id'
}

function* recordDifferences(shape: RecordShape, here: Record<string, unknown>, log: Record<string, unknown>, path: string): Generator<FieldDifference> {
  for (const { field, shape: type } of shape.fields) {
    const [one, other] = [here[field.name] ?? null, log[field.name] ?? null]
    if (type.record !== undefined && one !== null && other !== null) {
      yield* recordDifferences(type.record, one as Record<string, unknown>, other as Record<string, unknown>, `${path}${field.name}.`)
    } else if (textOf(one) !== textOf(other)) {
      const show = isShowable(field, type)
      yield { field: path + field.name, here: show ? textOf(one) : hidden(textOf(one)), log: show ? textOf(other) : hidden(textOf(other)) }
    }
  }
}

function textOf(value: unknown): string | null {
  return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function hidden(value: string | Buffer | null): string | null {
  return value === null ? null : `sha256:${hash('sha256', value, 'hex').slice(0, 12)}`
}

const shownColumns = new Map<Contract, ReadonlySet<string>>()

function showableColumns(contract: Contract): ReadonlySet<string> {
  let columns = shownColumns.get(contract)
  if (columns === undefined) shownColumns.set(contract, columns = new Set(shapeOf(contract.schema).fields.flatMap(({ field, shape }) => columnsOf(field, shape))))
  return columns
}

function columnsOf(field: Field, shape: Shape): string[] {
  const nested = (record: RecordShape | undefined, columns: Readonly<Record<string, string>>): string[] => Object.entries(columns).flatMap(([name, column]) => {
    const found = record?.fields.find((one) => one.field.name === name)
    return found !== undefined && isShowable(found.field, found.shape) ? [column] : []
  })
  return [
    ...(field.column !== undefined && isShowable(field, shape) ? [field.column] : []),
    ...nested(shape.record, field.columns ?? {}),
    ...Object.values(field.columnsByRole ?? {}).flatMap((columns) => nested(shape.items?.record, columns)),
  ]
}
