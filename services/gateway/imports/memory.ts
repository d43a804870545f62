import type { Memory } from '@hub/connectors/ledger'
import { cellKey, type CountedReport } from '@hub/connectors/tally'
import type { TallyCell } from '@hub/connectors/shape'
import { emptyMemory } from '@hub/connectors/ledger'
import { textArray, type DbClient } from '@hub/runtime/db'

export interface MemoryKey {
  readonly in: keyof Memory
  readonly key: string
}

/**
 * What the connectors remember of one source, as far as the rows at hand need it: fetched for a batch of rows, written with what became of them, and let go
 * then. The next batch may begin before this one is written. A rehearsal keeps what it was told and writes nothing.
 */
export class StoredMemory {
  readonly memory: Memory = emptyMemory()
  readonly #source: string
  /** As it was fetched or is to be written; `used` is the batch that asked for it last. */
  readonly #fetched = new Map<string, { readonly used: number, readonly value: unknown, readonly text: string | undefined }>()
  #batch = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Begins a batch: what its rows need is there afterwards. */
  async fetch(db: DbClient, keys: readonly MemoryKey[]): Promise<void> {
    this.#batch++
    const missing = new Map<string, MemoryKey>()
    for (const key of keys) {
      const name = nameOf(key)
      const known = this.#fetched.get(name)
      if (known === undefined) missing.set(name, key)
      else this.#fetched.set(name, { ...known, used: this.#batch })
    }
    if (missing.size === 0) return
    const wanted = [...missing.values()]
    const { rows } = await db.query<{ part: keyof Memory, key: string, value: string }>({
      name: 'import-memory',
      text: 'SELECT m.part, m.key, m.value FROM unnest($2::text[], $3::text[]) AS k (part, key) JOIN import_memory m ON m.source = $1 AND m.part = k.part AND m.key = k.key',
      values: [this.#source, textArray(wanted.map((one) => one.in)), textArray(wanted.map(({ key }) => key))],
    })
    for (const name of missing.keys()) this.#fetched.set(name, { used: this.#batch, value: undefined, text: undefined })
    for (const { part, key, value: text } of rows) {
      const value = read(part, text)
      this.#fetched.set(nameOf({ in: part, key }), { used: this.#batch, value, text })
      put(this.memory, { in: part, key }, value)
    }
  }

  get(key: MemoryKey): unknown {
    return this.memory[key.in].get(key.key)
  }

  /** Turns a value back to what it was: what came of it was refused. */
  restore(key: MemoryKey, value: unknown): void {
    if (value === undefined) this.memory[key.in].delete(key.key)
    else put(this.memory, key, value)
  }

  /** What has changed since it was asked last, to be written with what became of the rows. */
  changes(): MemoryChanges {
    const changed: MemoryChanges['changed'][number][] = []
    const cells = new Map<string, TallyCell>()
    for (const [name, known] of this.#fetched) {
      if (known.used !== this.#batch) continue
      const key = keyOf(name)
      const value = this.get(key)
      if (value === known.value) continue
      const text = value === undefined ? undefined : write(key.in, value)
      const before = known.text
      this.#fetched.set(name, { used: known.used, value, text })
      if (text === undefined || text === before) continue
      const report = key.in === 'reports' ? value as CountedReport : undefined
      changed.push({ part: key.in, key: key.key, value: text, cell: report === undefined || report.deleted ? null : cellKey(report.cell) })
      for (const one of [report, before === undefined || report === undefined ? undefined : read('reports', before) as CountedReport]) if (one !== undefined) cells.set(cellKey(one.cell), one.cell)
    }
    return { source: this.#source, batch: this.#batch, changed, cells }
  }

  /** Writes what has changed, where nothing else is under way. */
  async store(db: DbClient): Promise<void> {
    await storeMemory(db, this.changes())
  }

  /** Lets go of what was written and is not in use since. */
  forget({ batch }: MemoryChanges): void {
    for (const [name, { used }] of this.#fetched) {
      if (used > batch) continue
      this.#fetched.delete(name)
      const key = keyOf(name)
      this.memory[key.in].delete(key.key)
    }
  }
}

/** What is to be written after a batch of rows. */
export interface MemoryChanges {
  readonly source: string
  readonly batch: number
  readonly changed: readonly { readonly part: string, readonly key: string, readonly value: string, readonly cell: string | null }[]
  /** Cells whose count has changed: they are noted, to be counted again. */
  readonly cells: ReadonlyMap<string, TallyCell>
}

export async function storeMemory(db: DbClient, { source, changed, cells }: MemoryChanges): Promise<void> {
  await Promise.all([
    changed.length === 0 ? undefined : db.query({
      name: 'import-remember',
      text: `INSERT INTO import_memory (source, part, key, value, cell) SELECT $1, t.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS t (part, key, value, cell)
             ON CONFLICT (source, part, key) DO UPDATE SET value = excluded.value, cell = excluded.cell`,
      values: [source, textArray(changed.map(({ part }) => part)), textArray(changed.map(({ key }) => key)), textArray(changed.map(({ value }) => value)), textArray(changed.map(({ cell }) => cell))],
    }),
    cells.size === 0 ? undefined : db.query({
      name: 'import-cells',
      text: 'INSERT INTO import_cell (source, cell, value) SELECT $1, t.* FROM unnest($2::text[], $3::text[]) AS t (cell, value) ON CONFLICT DO NOTHING',
      values: [source, textArray([...cells.keys()]), textArray([...cells.values()].map((cell) => JSON.stringify(cell)))],
    }),
  ])
}

/** Some cells whose count has changed, with what they count now. */
export async function readChangedCells(db: DbClient, source: string, limit: number): Promise<{ cell: TallyCell, key: string, count: number }[]> {
  const { rows } = await db.query<{ cell: string, value: string, count: number }>(
    `SELECT c.cell, c.value, (SELECT count(*)::int FROM import_memory m WHERE m.source = c.source AND m.cell = c.cell) AS count
       FROM import_cell c WHERE c.source = $1 ORDER BY c.cell LIMIT $2`, [source, limit])
  return rows.map(({ cell, value, count }) => ({ key: cell, cell: JSON.parse(value) as TallyCell, count }))
}

export async function deleteCells(db: DbClient, source: string, keys: readonly string[]): Promise<void> {
  await db.query('DELETE FROM import_cell WHERE source = $1 AND cell = ANY ($2::text[])', [source, textArray(keys)])
}

/** Forgets what led to these records of a source: acts and samples by their keys, reports by the cell that they count in. */
export async function forgetRecords(db: DbClient, source: string, recordIds: readonly string[]): Promise<void> {
  await db.query(`DELETE FROM import_memory WHERE source = $1 AND part IN ('listings', 'inspections') AND key = ANY ($2::text[])`, [source, textArray(recordIds)])
  await db.query('DELETE FROM import_memory WHERE source = $1 AND cell = ANY ($2::text[])', [source, textArray(recordIds.map((recordId) => recordId.slice(source.length + 1)))])
}

function write(part: keyof Memory, value: unknown): string {
  if (part !== 'reports') return JSON.stringify(value)
  const report = value as CountedReport
  return JSON.stringify({ ...report, seen: [...report.seen] })
}

function read(part: keyof Memory, text: string): unknown {
  const value = JSON.parse(text) as unknown
  if (part !== 'reports') return value
  const report = value as Omit<CountedReport, 'seen'> & { seen: [number, string][] }
  return { ...report, seen: new Map(report.seen) }
}

function put(memory: Memory, { in: part, key }: MemoryKey, value: unknown): void {
  (memory[part] as Map<string, unknown>).set(key, value)
}

function nameOf({ in: part, key }: MemoryKey): string {
  return `${part}\t${key}`
}

function keyOf(name: string): MemoryKey {
  const tab = name.indexOf('\t')
  return { in: name.slice(0, tab) as keyof Memory, key: name.slice(tab + 1) }
}
