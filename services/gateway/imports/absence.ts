import { absenceAct, absentFrom, needsConfirmation } from '@hub/connectors/compose/absence'
import { addAct, composeListing, listingEvent, type ListingHistory } from '@hub/connectors/compose/listing'
import type { Shape } from '@hub/connectors/shape'
import { textArray, type DbClient } from '@hub/runtime/db'
import { dateText } from '@hub/schemas/record-json'
import { readEvent } from '@hub/schemas/read-event'
import { shanghaiDay } from '@hub/schemas/read-time'
import { hash } from 'node:crypto'
import { placer } from '../publish/prepare.ts'
import type { PreparedEvent } from '../publish/publish-batch.ts'
import { readStoredSources } from '../sources/store.ts'
import { persist, publishWith, type Tools } from './tools.ts'
import type { ImportRow } from './store.ts'

const RECORDS_PER_BATCH = 500

/** Records that a file names, a few bytes each. Of two that fall together one stays active although it is absent: once in a hundred million. */
export class NamedRecords {
  readonly #seen = new Set<number>()

  add(recordId: string): void {
    this.#seen.add(numberOf(recordId))
  }

  has = (recordId: string): boolean => this.#seen.has(numberOf(recordId))
}

function numberOf(recordId: string): number {
  return hash('sha256', recordId, 'buffer').readUIntBE(0, 6)
}

/** Whether a file of this shape is all that its source has: what it does not name any more has ended. */
export async function isCompleteList(db: DbClient, source: string, shape: Shape): Promise<boolean> {
  if (shape.completeList !== true) return false
  const [stored] = await readStoredSources(db, source)
  return stored?.declared === true && stored.declaration.mode === 'full'
}

/**
 * Ends the listings of a source that a complete list did not name, unless they are so many that a person has to say so. Safe to interrupt and to repeat: what has ended is not
 * active any more.
 * @returns how many are absent, and whether they wait; undefined = it was stopped
 */
export async function endAbsent(tools: Tools, row: ImportRow, shape: Shape, named: NamedRecords): Promise<{ absent: number, waits: boolean } | undefined> {
  const { preparing, log } = tools
  let absent = 0
  let active = 0
  for await (const listings of pages(tools, row.source)) {
    const found = absentFrom(listings, named.has)
    absent += found.recordIds.length
    active += found.active
    if (tools.stop.aborted) return undefined
  }
  if (!row.absenceConfirmed && needsConfirmation(absent, active, row.figures.verdicts.refused ?? 0)) return { absent, waits: true }
  const today = dateText(shanghaiDay(row.received.getTime()))
  const place = placer(preparing, shape.stream, { sources: [row.source], authorities: row.authorities })
  for await (const listings of pages(tools, row.source)) {
    const { recordIds } = absentFrom(listings, named.has)
    if (recordIds.length === 0) continue
    if (tools.stop.aborted) return undefined
    const ended = new Map<string, ListingHistory>()
    const events = recordIds.flatMap((recordId): PreparedEvent[] => {
      const { verdict, history } = addAct(listings.get(recordId)!, absenceAct(recordId, today), today)
      // Dropped, named and dropped again on one day, which acts by day cannot tell: the list of the next day ends it.
      if (verdict !== 'taken') return []
      const now = Date.now()
      const read = readEvent(shape.stream, preparing.region, listingEvent(recordId, composeListing(history)!), now)
      const prepared = read.ok ? place(read.event, now, null) : undefined
      if (prepared === undefined || !('event' in prepared)) {
        log.error({ import: row.id }, 'a listing that is absent from its list could not be ended and stays')
        return []
      }
      ended.set(recordId, history)
      return [prepared.event]
    })
    await publishWith(tools, row.id, events, (client) => remember(client, row.source, ended))
  }
  return { absent, waits: false }
}

async function remember(db: DbClient, source: string, listings: ReadonlyMap<string, ListingHistory>): Promise<void> {
  await db.query(`UPDATE import_memory m SET value = t.value FROM unnest($2::text[], $3::text[]) AS t (key, value) WHERE m.source = $1 AND m.part = 'listings' AND m.key = t.key`,
    [source, textArray([...listings.keys()]), textArray([...listings.values()].map((history) => JSON.stringify(history)))])
}

/** All listings that are remembered of a source, some hundreds at a time. */
async function* pages(tools: Tools, source: string): AsyncGenerator<Map<string, ListingHistory>> {
  let after = ''
  for (;;) {
    const { rows } = await persist(tools, () => tools.db.query<{ key: string, value: string }>({
      name: 'import-listings', text: `SELECT key, value FROM import_memory WHERE source = $1 AND part = 'listings' AND key > $2 ORDER BY key LIMIT ${RECORDS_PER_BATCH}`, values: [source, after],
    }))
    if (rows.length === 0) return
    yield new Map(rows.map(({ key, value }) => [key, JSON.parse(value) as ListingHistory]))
    after = rows.at(-1)!.key
  }
}
