import { classOf, IMPORT_VERDICTS, type ImportVerdict, type Place, type RowClass, type RowFlag, type SkipRule } from '@hub/connectors/verdict'
import type { DataStream } from '@hub/schemas/streams'

/** Rows of an import by verdict, by flag, and by class as the sample data count them; `events` is how many were published, counts of reports included. */
export interface Figures {
  readonly verdicts: Readonly<Partial<Record<ImportVerdict, number>>>
  readonly flags: Readonly<Record<string, number>>
  readonly classes: Readonly<Partial<Record<RowClass, number>>>
  readonly rows: number
  readonly events: number
}

export const NO_FIGURES: Figures = { verdicts: {}, flags: {}, classes: {}, rows: 0, events: 0 }

/** What was said of one row. `problems`: one `rule, column, expected` a line, tabs between. */
export interface RowVerdict {
  readonly place: Place
  readonly rows: number
  readonly verdict: ImportVerdict
  readonly flags: readonly RowFlag[]
  readonly problems: string | null
  readonly skip?: SkipRule | undefined
}

/** Adds rows up, and remembers those of which more may be told later: rows that wait and rows with flags. */
export class Counting {
  readonly #stream: DataStream
  /** Undefined = not marked any more, of a fork. */
  readonly #marked = new Map<string, RowVerdict | undefined>()
  readonly #base: Counting | undefined
  #verdicts: Partial<Record<ImportVerdict, number>>
  #flags: Record<string, number>
  #classes: Partial<Record<RowClass, number>>
  #rows: number
  #events: number

  constructor(stream: DataStream, before: Figures, marked: readonly RowVerdict[], base?: Counting) {
    this.#stream = stream
    this.#base = base
    this.#verdicts = { ...before.verdicts }
    this.#flags = { ...before.flags }
    this.#classes = { ...before.classes }
    this.#rows = before.rows
    this.#events = before.events
    for (const row of marked) if (isMarked(row)) this.#marked.set(keyOf(row.place), row)
  }

  get figures(): Figures {
    return { verdicts: { ...this.#verdicts }, flags: { ...this.#flags }, classes: { ...this.#classes }, rows: this.#rows, events: this.#events }
  }

  add(row: RowVerdict): void {
    this.#count(row, row.rows)
    this.#rows += row.rows
    if (isMarked(row)) this.#marked.set(keyOf(row.place), row)
  }

  /** The row waited and is in. Undefined where it is not known any more. */
  settle(place: Place): RowVerdict | undefined {
    return this.#change(place, (row) => (row.verdict === 'waiting' ? { ...row, verdict: 'accepted' } : row))
  }

  /** Something doubtful about an earlier row. One that nothing was told of before was taken. */
  flag(place: Place, flags: readonly RowFlag[]): RowVerdict | undefined {
    return this.#change(place, (row) => ({ ...row, flags: [...new Set([...row.flags, ...flags])] }), { place, rows: 1, verdict: 'accepted', flags: [], problems: null })
  }

  published(events: number): void {
    this.#events += events
  }

  /** Counts on apart from this one, which `become` makes it. */
  fork(): Counting {
    return new Counting(this.#stream, this.figures, [], this)
  }

  /** @param fork one of this */
  become(fork: Counting): void {
    for (const [key, row] of fork.#marked) {
      if (row === undefined) this.#marked.delete(key)
      else this.#marked.set(key, row)
    }
    this.#verdicts = fork.#verdicts
    this.#flags = fork.#flags
    this.#classes = fork.#classes
    this.#rows = fork.#rows
    this.#events = fork.#events
  }

  #known(key: string): RowVerdict | undefined {
    return this.#marked.has(key) || this.#base === undefined ? this.#marked.get(key) : this.#base.#known(key)
  }

  #change(place: Place, to: (row: RowVerdict) => RowVerdict, otherwise?: RowVerdict): RowVerdict | undefined {
    const before = this.#known(keyOf(place)) ?? otherwise
    if (before === undefined) return undefined
    const after = to(before)
    this.#count(before, -before.rows)
    this.#count(after, after.rows)
    if (isMarked(after)) this.#marked.set(keyOf(place), after)
    else this.#marked.set(keyOf(place), undefined)
    return after
  }

  #count({ verdict, flags, skip }: RowVerdict, rows: number): void {
    add(this.#verdicts, verdict, rows)
    for (const flag of flags) add(this.#flags, flag, rows)
    const kind = classOf(verdict, flags, this.#stream, skip)
    if (kind !== undefined) add(this.#classes, kind, rows)
  }
}

/** Rows that a person may want to look at; of the others the count says all. */
export function isTold({ verdict, flags }: RowVerdict): boolean {
  return flags.length > 0 || verdict === 'refused' || verdict === 'conflict' || verdict === 'waiting' || verdict === 'stale'
}

/**
 * What a file comes to that was read to its end before, by the same rules, with nothing between: every row that was taken is a duplicate, the rest is what it was.
 */
export function repeated({ verdicts, flags, classes, rows }: Figures): Figures {
  const taken: readonly ImportVerdict[] = ['accepted', 'new-version', 'tallied', 'waiting', 'duplicate']
  const left: readonly RowClass[] = ['stale', 'conflict', 'bad']
  const duplicates = taken.reduce((sum, verdict) => sum + (verdicts[verdict] ?? 0), 0)
  const classed = Object.values(classes).reduce((sum, count) => sum + count, 0)
  const kept = Object.fromEntries(left.flatMap((kind) => (classes[kind] === undefined ? [] : [[kind, classes[kind]]])))
  return {
    verdicts: { ...Object.fromEntries(IMPORT_VERDICTS.filter((verdict) => !taken.includes(verdict) && verdicts[verdict] !== undefined).map((verdict) => [verdict, verdicts[verdict]!])), ...(duplicates > 0 && { duplicate: duplicates }) },
    flags,
    classes: { ...kept, ...(duplicates > 0 && { duplicate: classed - left.reduce((sum, kind) => sum + (classes[kind] ?? 0), 0) }) },
    rows,
    events: 0,
  }
}

function isMarked({ verdict, flags }: RowVerdict): boolean {
  return verdict === 'waiting' || flags.length > 0
}

function keyOf({ sheet, row }: Place): string {
  return `${sheet ?? ''}\t${row}`
}

function add<K extends string>(counts: Partial<Record<K, number>>, name: K, by: number): void {
  const sum = (counts[name] ?? 0) + by
  if (sum === 0) delete counts[name]
  else counts[name] = sum
}
