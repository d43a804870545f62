import { setTimeout as delay } from 'node:timers/promises'
import { dateText } from '@hub/schemas/record-json'
import { isEnding } from '@hub/schemas/record-rule'
import { shanghaiDay } from '@hub/schemas/read-time'
import { DATA_STREAMS, topicName } from '@hub/schemas/streams'
import { notifyOutbox, type DbClient } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import { actOfHub } from '../publish/act.ts'
import { publishIn } from '../publish/publisher.ts'
import { forgetRecords } from './memory.ts'
import type { Tools } from './tools.ts'
import type { ImportRow } from './store.ts'

const RECORDS_PER_BATCH = 500
const RETRY_MS = 500

/** Records that an import wrote, the next after a place. Untouched = it created them, or told them first after they had been taken back, and nothing else has changed them since. */
async function readCreated(db: DbClient, id: string, after: { topic: string, recordId: string }, limit: number): Promise<{ topic: string, recordId: string, version: number, untouched: boolean }[]> {
  const { rows } = await db.query<{ topic: string, recordId: string, version: number, untouched: boolean }>(
    `SELECT r.topic, r.record_id AS "recordId", n.version::float8 AS version, f.import_id IS NOT DISTINCT FROM $1::uuid AND n.import_id IS NOT DISTINCT FROM $1::uuid AS untouched
       FROM (SELECT DISTINCT topic, record_id FROM published WHERE import_id = $1::uuid AND (topic, record_id) > ($2, $3) ORDER BY topic, record_id LIMIT $4) r
      CROSS JOIN LATERAL (SELECT version, import_id FROM published p WHERE p.topic = r.topic AND p.record_id = r.record_id ORDER BY version DESC LIMIT 1) n
       LEFT JOIN LATERAL (
             SELECT import_id FROM published p WHERE p.topic = r.topic AND p.record_id = r.record_id
                AND version > coalesce((SELECT max(version) FROM published b WHERE b.topic = r.topic AND b.record_id = r.record_id AND b.own AND b.source_version = 0), 0)
              ORDER BY version LIMIT 1) f ON true
      ORDER BY 1, 2`, [id, after.topic, after.recordId, limit])
  return rows
}

/**
 * Takes an import back: every record that it created and that nothing else has touched is voided as if it had never been told, so that it may be told again, and the connectors forget it. Records that were there before, or that
 * a later import or request has changed, stay as they are. Safe to interrupt and to repeat: of what is voided nothing stands that the import told. False = it was stopped.
 */
export async function revert(tools: Tools, row: ImportRow): Promise<boolean> {
  const { db, preparing } = tools
  const streamOf = new Map(DATA_STREAMS.map((stream) => [topicName(preparing.region, stream, preparing.topicPrefix), stream]))
  let after = { topic: '', recordId: '' }
  for (;;) {
    await tools.room()
    if (tools.stop.aborted) return false
    try {
      const records = await readCreated(db, row.id, after, RECORDS_PER_BATCH)
      if (records.length === 0) return true
      const voids = records.filter(({ untouched }) => untouched)
      const occurredOn = dateText(shanghaiDay(Date.now()))
      const events = voids.map(({ topic, recordId, version }) => actOfHub(preparing, streamOf.get(topic)!, { recordId }, { kind: 'void', occurredOn, after: version, asNeverTold: true }))
      await db.tx(async (client) => {
        await tools.fence(client)
        if (events.length > 0) await publishIn(client, events, isEnding, row.id)
        await forgetRecords(client, row.source, voids.map(({ recordId }) => recordId))
      })
      failpoint('import.reverted')
      tools.onPublished()
      notifyOutbox(db)
      after = records.at(-1)!
    } catch (error) {
      if (!isTransient(error)) throw error
      await delay(RETRY_MS)
    }
  }
}
