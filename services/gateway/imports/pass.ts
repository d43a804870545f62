import { createReadStream } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Context } from '@hub/connectors/context'
import { convert, type RowResult } from '@hub/connectors/convert'
import { keyOf, Ledger, type Taken } from '@hub/connectors/ledger'
import { codesOf } from '@hub/connectors/reference/codes'
import type { Shape } from '@hub/connectors/shape'
import { tallyEvent } from '@hub/connectors/tally'
import type { RowFlag } from '@hub/connectors/verdict'
import { notifyOutbox } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import { readEvent } from '@hub/schemas/read-event'
import { isEnding } from '@hub/schemas/record-rule'
import { placer, type Prepared } from '../publish/prepare.ts'
import type { Outcome, PreparedEvent } from '../publish/publish-batch.ts'
import { publishIn } from '../publish/publisher.ts'
import { rehearse } from '../publish/rehearsal.ts'
import type { NamedRecords } from './absence.ts'
import { Counting, isTold, type Figures, type RowVerdict } from './figures.ts'
import { deleteCells, readChangedCells, StoredMemory, storeMemory, type MemoryChanges } from './memory.ts'
import { advance, cameBefore, MAX_TOLD, readImport, readTold, tellRows, toVerdict, type ImportRow } from './store.ts'
import { persist, publishWith, type Tools } from './tools.ts'

const ROWS_PER_BATCH = 1_000
const ROWS_PER_BREATH = 100
const CHUNK_BYTES = 64 * 1024
const REHEARSAL_DEADLINE_MS = 10_000
/** Events that a rehearsal decides: it keeps all of them. */
const MAX_REHEARSED_ROWS = 90_000

const PREVIEWED = 20

export type PassEnd = 'done' | 'stopped' | 'rehearsed-in-part'

/** Another process goes on with the import: nothing was written. */
export class Superseded extends Error {
  override readonly name = 'Superseded'
}

/**
 * Reads a file to its end, a batch of rows at a time: events, what the connectors remember, the verdicts and how far the import is are one transaction. So an import
 * that was interrupted goes on behind the last batch that was committed, with the same counts as if it had not been. A rehearsal writes nothing; what it would tell of rows is in the result.
 * @param named is told the records that the file names, those of rows settled before among them
 */
export async function pass(tools: Tools, row: ImportRow, shape: Shape, path: string, named?: NamedRecords): Promise<{ end: PassEnd, figures: Figures, told: readonly RowVerdict[] }> {
  const { db, preparing } = tools
  const now = row.received.getTime()
  const context: Context = { region: preparing.region, source: row.source, now, key: tools.key, codes: codesOf(preparing.region), file: row.file }
  const stored = new StoredMemory(row.source)
  const ledger = new Ledger(shape, context, stored.memory)
  const place = placer(preparing, shape.stream, { sources: [row.source], authorities: row.authorities })
  const before = row.position === 0 ? [] : (await readTold(db, row.id, undefined, MAX_TOLD)).map(toVerdict)
  const counting = new Counting(shape.stream, row.figures, before)
  const rehearsed = row.dryRun || !row.confirmed ? rehearse(db, REHEARSAL_DEADLINE_MS) : undefined
  const again = await cameBefore(db, row)
  let told = before.length
  const rehearsedRows: RowVerdict[] = []
  let position = row.position
  let seen = 0
  let committing: Promise<void> = Promise.resolve()

  const results = convert(createReadStream(path, { highWaterMark: CHUNK_BYTES }), shape, context, { ...(row.encoding !== null && { encoding: row.encoding }), ...(row.delimiter !== null && { delimiter: row.delimiter }) })
  let batch: RowResult[] = []
  let end: PassEnd = 'done'
  try {
    reading: for await (const piece of results) {
      for (const result of piece) {
        if (named !== undefined) {
          const key = keyOf(result)
          if (key?.in === 'listings') named.add(key.key)
        }
        // Settled before this process began.
        if (seen++ < row.position) {
          ledger.replay(result)
          continue
        }
        batch.push(result)
        if (batch.length < ROWS_PER_BATCH) continue
        if (tools.stop.aborted) {
          end = 'stopped'
          break reading
        }
        if (rehearsed !== undefined && position >= MAX_REHEARSED_ROWS) {
          end = 'rehearsed-in-part'
          break reading
        }
        await settle(batch)
        batch = []
      }
    }
    if (end === 'done' && batch.length > 0) await settle(batch)
    await committing
    if (end === 'done' && rehearsed === undefined) await publishTallies(tools, row, counting)
  } finally {
    await committing.catch(() => {})
  }
  return { end, figures: counting.figures, told: rehearsedRows }

  async function settle(rows: readonly RowResult[]): Promise<void> {
    await persist(tools, () => stored.fetch(db, rows.flatMap((result) => keyOf(result) ?? [])))
    const items: Item[] = []
    for (const result of rows) {
      // The batch before is being committed: what its connection answers must not wait until this one is ready.
      if (items.length % ROWS_PER_BREATH === 0) await setImmediate()
      items.push(take(result))
    }
    const events = items.flatMap(({ prepared }) => (prepared !== undefined && 'event' in prepared ? [prepared.event] : []))
    if (again) for (const event of events) event.again = true
    if (rehearsed === undefined) {
      const changes = stored.changes()
      await committing
      await tools.room()
      // While the database has this batch the next one is read and prepared.
      committing = commit(rows.length, items, events, changes)
      committing.catch(() => {})
      return
    }
    const outcomes = await persist(tools, () => rehearsed(events))
    if (position === 0) preview(items, outcomes)
    rehearsedRows.push(...conclude(items, outcomes).slice(0, MAX_TOLD - rehearsedRows.length))
    position += rows.length
    tools.onProgress(position, counting.figures)
  }

  function preview(items: readonly Item[], outcomes: readonly Outcome[]): void {
    let next = 0
    tools.onPreview(items.slice(0, PREVIEWED).map(({ taken, prepared }) => {
      const there = prepared !== undefined && 'event' in prepared
      const { verdict, problems } = verdictOf(taken, prepared, there ? outcomes[next++] : undefined)
      return { place: taken.place, verdict, problems, ...(there && { event: taken.event! }) }
    }))
  }

  function take(result: RowResult): Item {
    const key = keyOf(result)
    const known = key === undefined ? undefined : stored.get(key)
    const taken = ledger.take(result)
    if (taken.event === undefined) return { taken }
    const prepared = prepare(taken)
    if ('refused' in prepared && key !== undefined) stored.restore(key, known)
    return rehearsed === undefined ? { taken: { ...taken, event: undefined }, prepared: packed(prepared) } : { taken, prepared }
  }

  /** An event as the bytes it most likely goes out as, where its source gives its version: a batch waits for the database while the next is read, and objects that live that long are what costs. */
  function packed(prepared: Prepared): Prepared {
    if (!('event' in prepared)) return prepared
    const { event } = prepared
    const { origin } = event
    if (origin.from !== 'source' && origin.from !== 'time') return prepared
    const writer = preparing.writers.get(event.type)!
    const bytes = event.encode(origin.version)
    return { event: { ...event, encode: (version) => (version === origin.version ? bytes : writer.amend(bytes, { version })) } }
  }

  function prepare({ stream, event }: Taken): Prepared {
    const at = Date.now()
    const read = readEvent(stream, preparing.region, event, at)
    if (!read.ok) return { refused: read.problems.map(({ field, rule, expected }) => ({ field, rule, expected, zh: '', en: '' })) }
    return place(read.event, at, null)
  }

  async function commit(count: number, items: readonly Item[], events: PreparedEvent[], changes: MemoryChanges): Promise<void> {
    let attempt: { after: Counting, tell: RowVerdict[], published: number } | undefined
    await persist(tools, async () => {
      attempt = await db.tx(async (client) => {
        const [, { outcomes, rows: published }] = await Promise.all([tools.fence(client), events.length === 0 ? { outcomes: [], rows: [] } : publishIn(client, events, isEnding, row.id)])
        const after = counting.fork()
        const tell = conclude(items, outcomes, after)
        after.published(published.length)
        const [advanced] = await Promise.all([advance(client, row.id, position, position + count, after.figures), storeMemory(client, withoutErased(changes, events, outcomes)), tellRows(client, row.id, tell)])
        const tried = { after, tell, published: published.length }
        if (advanced) return (attempt = tried)
        // The attempt before was committed and its answer was lost.
        if (attempt !== undefined && (await readImport(client, row.id))?.position === position + count) return attempt
        throw new Superseded()
      })
    })
    failpoint('import.batch-committed')
    counting.become(attempt!.after)
    told += attempt!.tell.length
    position += count
    stored.forget(changes)
    tools.onProgress(position, counting.figures)
    if (attempt!.published > 0) {
      tools.onPublished()
      notifyOutbox(db)
    }
  }

  function conclude(items: readonly Item[], outcomes: readonly Outcome[], into: Counting = counting): RowVerdict[] {
    const tell: RowVerdict[] = []
    const room = (): boolean => told + rehearsedRows.length + tell.length < MAX_TOLD
    let next = 0
    for (const { taken, prepared } of items) {
      const outcome = prepared !== undefined && 'event' in prepared ? outcomes[next++] : undefined
      const flags = prepared !== undefined && 'event' in prepared ? prepared.event.flags as RowFlag[] : []
      const own = taken.about !== undefined || flags.length === 0 ? taken.flags : [...new Set([...taken.flags, ...flags])]
      const verdict: RowVerdict = { place: taken.place, rows: taken.rows, flags: own, skip: taken.skip, ...verdictOf(taken, prepared, outcome) }
      into.add(verdict)
      tools.onRow?.(verdict)
      if (isTold(verdict) && room()) tell.push(verdict)
      for (const change of [...(taken.settled ?? []).map((one) => into.settle(one)), ...(taken.about !== undefined && flags.length > 0 ? [into.flag(taken.about, flags)] : [])]) {
        if (change === undefined) continue
        tools.onRow?.(change)
        tell.push(change)
      }
    }
    return tell
  }
}

/** Of a record that was erased the connectors remember nothing again. */
function withoutErased(changes: MemoryChanges, events: readonly PreparedEvent[], outcomes: readonly Outcome[]): MemoryChanges {
  const erased = new Set(events.flatMap(({ recordId }, i) => (outcomes[i]?.verdict === 'stale' && outcomes[i].reason === 'erased' ? [recordId] : [])))
  return erased.size === 0 ? changes : { ...changes, changed: changes.changed.filter(({ key }) => !erased.has(key)) }
}

interface Item {
  readonly taken: Taken
  readonly prepared?: Prepared
}

function verdictOf(taken: Taken, prepared: Prepared | undefined, outcome: Outcome | undefined): Pick<RowVerdict, 'verdict' | 'problems'> {
  if (taken.verdict !== undefined) {
    return { verdict: taken.verdict, problems: linesOf((taken.problems ?? []).map(({ rule, column, expected }) => [rule, column ?? '', expected])) }
  }
  if (prepared !== undefined && 'refused' in prepared) return { verdict: 'refused', problems: linesOf(prepared.refused.map(({ rule, field, expected }) => [rule, field, expected])) }
  if (outcome?.verdict === 'refused') return { verdict: 'refused', problems: linesOf([[outcome.reason, '', '']]) }
  return { verdict: outcome!.verdict, problems: outcome!.verdict === 'stale' ? linesOf([[outcome!.reason, '', '']]) : null }
}

const MAX_PROBLEMS = 10

function linesOf(problems: readonly (readonly [rule: string, column: string, expected: string])[]): string | null {
  return problems.length === 0 ? null : problems.slice(0, MAX_PROBLEMS).map((one) => one.map((cell) => cell.replaceAll(/[\t\n]/g, ' ')).join('\t')).join('\n')
}

/** Publishes the counts of reports that this import, or one that was interrupted before, has changed. */
async function publishTallies(tools: Tools, row: ImportRow, counting: Counting): Promise<void> {
  const tallies = placer(tools.preparing, 'tally', { sources: [row.source], authorities: row.authorities })
  for (;;) {
    const cells = await persist(tools, () => readChangedCells(tools.db, row.source, ROWS_PER_BATCH))
    if (cells.length === 0) return
    const at = Date.now()
    const events = cells.map(({ cell, count }) => {
      const read = readEvent('tally', tools.preparing.region, tallyEvent(row.source, cell, count), at)
      if (!read.ok) throw new Error(`the count of ${cell.day} keeps no contract: ${read.problems.map(({ field, rule }) => `${field} ${rule}`).join(', ')}`)
      const prepared = tallies(read.event, at, null)
      if (!('event' in prepared)) throw new Error('the count of a report may not be published by this caller')
      return prepared.event
    })
    counting.published(await publishWith(tools, row.id, events, (client) => deleteCells(client, row.source, cells.map(({ key }) => key))))
  }
}
