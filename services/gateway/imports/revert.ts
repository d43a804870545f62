import { setTimeout as delay } from 'node:timers/promises'
import { dateText } from '@hub/schemas/record-json'
import { readEvent } from '@hub/schemas/read-event'
import { isEnding } from '@hub/schemas/record-rule'
import { shanghaiDay } from '@hub/schemas/read-time'
import { DATA_STREAMS, topicName } from '@hub/schemas/streams'
import { notifyOutbox, textArray, type DbClient } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { placer } from '../publish/prepare.ts'
import type { PreparedEvent } from '../publish/publish-batch.ts'
import { publishIn } from '../publish/publisher.ts'
import { forgetKeys } from './memory.ts'
import type { Tools } from './pass.ts'
import type { ImportRow } from './store.ts'

const RECORDS_PER_BATCH = 500
const RETRY_MS = 500

/** Records that an import created and that nothing has touched since, the next after a place. */
async function readCreated(db: DbClient, id: string, after: { topic: string, recordId: string }, limit: number): Promise<{ topic: string, recordId: string, version: number, ended: boolean, untouched: boolean }[]> {
  const { rows } = await db.query<{ topic: string, recordId: string, version: number, kind: string, untouched: boolean }>(
    `SELECT r.topic, r.record_id AS "recordId", n.version::float8 AS version, n.kind, f.import_id IS NOT DISTINCT FROM $1::uuid AND n.import_id IS NOT DISTINCT FROM $1::uuid AS untouched
       FROM (SELECT DISTINCT topic, record_id FROM published WHERE import_id = $1::uuid AND (topic, record_id) > ($2, $3) ORDER BY topic, record_id LIMIT $4) r
      CROSS JOIN LATERAL (SELECT version, kind, import_id FROM published p WHERE p.topic = r.topic AND p.record_id = r.record_id ORDER BY version DESC LIMIT 1) n
      CROSS JOIN LATERAL (SELECT import_id FROM published p WHERE p.topic = r.topic AND p.record_id = r.record_id ORDER BY version LIMIT 1) f
      ORDER BY 1, 2`, [id, after.topic, after.recordId, limit])
  return rows.map(({ kind, ...row }) => ({ ...row, ended: isEnding(kind) }))
}

/**
 * Takes an import back: every record that it created and that nothing else has touched is voided, and the connectors forget it. Records that were there before, or that
 * a later import or request has changed, stay as they are. Safe to interrupt and to repeat: what is voided counts as ended. False = it was stopped.
 */
export async function revert(tools: Tools, row: ImportRow): Promise<boolean> {
  const { db, preparing } = tools
  const streamOf = new Map(DATA_STREAMS.map((stream) => [topicName(preparing.region, stream, preparing.topicPrefix), stream]))
  let after = { topic: '', recordId: '' }
  for (;;) {
    if (tools.stop.aborted) return false
    try {
      const records = await readCreated(db, row.id, after, RECORDS_PER_BATCH)
      if (records.length === 0) return true
      const now = Date.now()
      const voids = records.filter(({ ended, untouched }) => untouched && !ended)
      const events = voids.map(({ topic, recordId, version }) => {
        const stream = streamOf.get(topic)!
        const read = readEvent(stream, preparing.region, { recordId, kind: 'void', occurredOn: dateText(shanghaiDay(now)), version: version + 1 }, now)
        if (!read.ok) throw new Error(`a void keeps no contract: ${read.problems.map(({ field, rule }) => `${field} ${rule}`).join(', ')}`)
        const placed = placer(preparing, stream, { sources: [row.source], authorities: ['*'] })(read.event, now, null)
        if (!('event' in placed)) throw new Error('a void may not be published')
        return placed.event
      })
      await db.tx(async (client) => {
        await tools.fence(client)
        if (events.length > 0) await publishIn(client, events, isEnding, row.id)
        await forgetKeys(client, row.source, records.filter(({ untouched }) => untouched).map(({ recordId }) => recordId))
      })
      tools.onPublished()
      notifyOutbox(db)
      after = records.at(-1)!
    } catch (error) {
      if (!isTransient(error)) throw error
      await delay(RETRY_MS)
    }
  }
}

/**
 * Lets records that an import created and that were taken back with it come again: they have ended, so their next version has to be named. Events that bring a number of their source
 * keep it.
 */
export async function reviveReverted(db: DbClient, source: string, events: readonly PreparedEvent[]): Promise<void> {
  const counted = events.filter(({ origin, ended }) => origin.from !== 'source' && !ended)
  if (counted.length === 0) return
  const { rows } = await db.query<{ topic: string, recordId: string, version: number }>({
    name: 'import-reverted',
    text: `SELECT p.topic, p.record_id AS "recordId", p.version::float8 AS version FROM unnest($2::text[], $3::text[]) AS k (topic, record_id)
            CROSS JOIN LATERAL (SELECT topic, record_id, version, kind, import_id FROM published WHERE topic = k.topic AND record_id = k.record_id ORDER BY version DESC LIMIT 1) p
             JOIN import i ON i.id = p.import_id AND i.source = $1 AND i.state = 'reverted'
            WHERE p.kind = 'void'`,
    values: [source, textArray(counted.map(({ topic }) => topic)), textArray(counted.map(({ recordId }) => recordId))],
  })
  const next = new Map(rows.map(({ topic, recordId, version }) => [`${topic} ${recordId}`, version + 1]))
  for (const event of counted) {
    const version = next.get(`${event.topic} ${event.recordId}`)
    if (version === undefined) continue
    event.origin = { from: 'source', version: Math.max(version, event.origin.from === 'time' ? event.origin.version : 0) }
    // A second row of the record follows the first.
    next.delete(`${event.topic} ${event.recordId}`)
  }
}

/** Whether an import of a source was ever taken back. */
export async function wasReverted(db: DbClient, source: string): Promise<boolean> {
  const { rows } = await db.query(`SELECT 1 FROM import WHERE source = $1 AND state = 'reverted' LIMIT 1`, [source])
  return rows.length > 0
}
