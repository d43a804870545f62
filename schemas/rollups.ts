import type { RecordItem } from './log-item.ts'
import type { DataStream } from './streams.ts'
import { TABLES } from './tables.ts'

/** Streams of which counts are kept. */
export const ROLLED_STREAMS = ['complaint', 'tally'] as const satisfies readonly DataStream[]
export type RolledStream = (typeof ROLLED_STREAMS)[number]

interface Declaration {
  readonly stream: RolledStream
  /** What tells its cells apart beside region and partition; '' where the record does not say. `day` is the day of registration, Asia/Shanghai. */
  readonly keys: readonly (readonly [name: string, pgType: 'date' | 'text'])[]
  /** Numbers of records, or of what they count. The first is zero exactly when the cell is empty: it is no cell then. */
  readonly sums: readonly string[]
  /** An amount in fen, added up exactly. */
  readonly money: string | null
}

/**
 * The counts that every replica keeps with its rows, one table each, by region and partition (design 5, 12): always what a recount of the current rows gives.
 * A voided record is in none of them; an expired, withdrawn or erased one is in all but `trader_day`. Sole traders and persons are in none of `trader_day`.
 */
export const ROLLUPS = {
  /** Complaints by day, state, outcome of the mediation and whether bought on the web (`yes`, `no`). */
  complaint_day: { stream: 'complaint', keys: [['day', 'date'], ['state', 'text'], ['outcome', 'text'], ['online', 'text']], sums: ['n'], money: 'recovered_fen' },
  /** Complaints by day and what they are about or came through: `dimension` = object (`kind` = goods, services, other), issue, channel. */
  complaint_class_day: { stream: 'complaint', keys: [['day', 'date'], ['dimension', 'text'], ['kind', 'text'], ['code', 'text']], sums: ['received', 'counted', 'accepted'], money: null },
  /** Counted complaints by day and firm, one row per name that the records use. */
  trader_day: { stream: 'complaint', keys: [['day', 'date'], ['uscc', 'text'], ['name', 'text']], sums: ['counted', 'accepted', 'settled', 'terminated'], money: null },
  /** Reports and consultations by day. */
  tally_day: { stream: 'tally', keys: [['day', 'date'], ['tally_type', 'text']], sums: ['n'], money: null },
} as const satisfies Readonly<Record<string, Declaration>>

export type RollupTable = keyof typeof ROLLUPS
export const ROLLUP_TABLES = Object.keys(ROLLUPS) as RollupTable[]

/** The columns that decide what a record counts for, in the order in which `Countable` has them. */
export const COUNTED_COLUMNS = {
  complaint: ['kind', 'registered_on', 'state', 'mediation_outcome', 'online', 'recovered_fen', 'object_kind', 'object_class', 'issue', 'channel', 'uscc', 'trader_name', 'entity_type', 'publication'],
  tally: ['kind', 'day', 'tally_type', 'count'],
} as const satisfies Readonly<Record<RolledStream, readonly string[]>>

/** Their values, as PostgreSQL writes them as text. */
export type Countable = readonly (string | null)[]

/** A cell and what is added to it. */
export interface Cell {
  readonly keys: readonly string[]
  readonly sums: number[]
  money: bigint
}

export function isRolled(stream: string): stream is RolledStream {
  return (ROLLED_STREAMS as readonly string[]).includes(stream)
}

/** How far a complaint has come, as the terms of design 12 tell states apart: `received` = all of them, `counted` = refused + accepted. */
export type StateClass = 'pending' | 'transferred' | 'refused' | 'accepted' | 'unknown'

export function stateClass(state: string | null): StateClass {
  switch (state) {
    case null:
    case '':
      return 'unknown'
    case 'received':
      return 'pending'
    case 'transferred':
    case 'refused':
      return state
    default:
      return 'accepted'
  }
}

const AT = Object.fromEntries(ROLLED_STREAMS.map((stream) => {
  const names = TABLES[stream].columns.map(({ name }) => name as string)
  return [stream, COUNTED_COLUMNS[stream].slice(1).map((name) => names.indexOf(name))]
})) as Record<RolledStream, number[]>

/** What decides the counts of a version of a record. */
export function countableOf(stream: RolledStream, item: Pick<RecordItem, 'kind' | 'columns'>): Countable {
  const values: (string | null)[] = [item.kind]
  for (const at of AT[stream]) {
    const value = item.columns[at]
    values.push(value === null || value === undefined ? null : typeof value === 'string' ? value : String(value))
  }
  return values
}

const UNPUBLISHED: ReadonlySet<string | null> = new Set(['withdrawn', 'expired', 'not-publishable'])
const PERSONS: ReadonlySet<string | null> = new Set(['sole-trader', 'individual'])
const SOLE_TRADER_CODE = '92'
/** No stored text has it. */
const BETWEEN = '\0'

/** Adds up what changes in one partition: what records count for now, less what they counted for before. */
export class Counting {
  readonly #tables = new Map<RollupTable, Map<string, Cell>>()

  /** A record that counted for `before` counts for `after` from now on; undefined = there was, or is, none. */
  change(stream: RolledStream, before: Countable | undefined, after: Countable | undefined): void {
    if (before !== undefined && after !== undefined && isSame(before, after)) return
    if (before !== undefined) this.#add(stream, before, -1)
    if (after !== undefined) this.#add(stream, after, 1)
  }

  /** Cells of a table that change. Those that come and go to nothing are left out. */
  cells(table: RollupTable): Cell[] {
    return [...this.#tables.get(table)?.values() ?? []].filter(({ sums, money }) => money !== 0n || sums.some((sum) => sum !== 0))
  }

  #add(stream: RolledStream, values: Countable, sign: 1 | -1): void {
    if (values[0] === 'void' || values[1] === null) return
    if (stream === 'tally') this.#cell('tally_day', [values[1]!, values[2] ?? ''], [sign * Number(values[3] ?? 0)])
    else this.#addComplaint(values, sign)
  }

  #addComplaint(values: Countable, sign: 1 | -1): void {
    const [kind, day, state, outcome, online, fen, objectKind, objectClass, issue, channel, uscc, name, entityType, publication] = values
    const standing = stateClass(state!)
    const accepted = standing === 'accepted' ? sign : 0
    const counted = standing === 'refused' ? sign : accepted
    const money = fen === null || fen === '0' ? 0n : BigInt(fen!) * BigInt(sign)
    this.#cell('complaint_day', [day!, state ?? '', outcome ?? '', online === 'true' ? 'yes' : online === 'false' ? 'no' : ''], [sign], money)
    const classes = [sign, counted, accepted]
    this.#cell('complaint_class_day', [day!, 'object', objectKind ?? '', objectClass ?? ''], classes)
    this.#cell('complaint_class_day', [day!, 'issue', '', issue ?? ''], classes)
    this.#cell('complaint_class_day', [day!, 'channel', '', channel ?? ''], classes)
    if (counted === 0 || uscc === null || kind === 'withdrawal' || uscc!.startsWith(SOLE_TRADER_CODE) || PERSONS.has(entityType!) || UNPUBLISHED.has(publication!)) return
    this.#cell('trader_day', [day!, uscc!, name ?? ''], [counted, accepted, outcome === 'settled' ? counted : 0, outcome === 'terminated' ? counted : 0])
  }

  #cell(table: RollupTable, keys: readonly string[], add: readonly number[], money = 0n): void {
    let cells = this.#tables.get(table)
    if (cells === undefined) this.#tables.set(table, cells = new Map())
    const name = keys.join(BETWEEN)
    const cell = cells.get(name)
    if (cell === undefined) {
      cells.set(name, { keys, sums: [...add], money })
      return
    }
    for (let i = 0; i < add.length; i++) cell.sums[i]! += add[i]!
    if (money !== 0n) cell.money += money
  }
}

function isSame(a: Countable, b: Countable): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
