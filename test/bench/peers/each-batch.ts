import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'
import pg from 'pg'
import { serveChild } from '../child.ts'

// The consumer a good engineer writes by hand: eachBatch, one unnest upsert per 1 000 rows, offsets committed to Kafka. At least once, and nothing
// is kept beside the row: no counters, no history, no digest, no check of what is decoded.

export interface EachBatchSettings {
  brokers: string[]
  username: string
  password: string
  topic: string
  groupId: string
  registryUrl: string
  databaseUrl: string
  partitionsAtOnce: number
  expected: number
}

interface Party { name: string | null, uscc: string | null, division: string | null }
interface Complaint {
  recordId: string, version: number, state: string, registeredOn: number, acceptedOn: number | null, handlingDivision: string | null
  verified: Party | null, respondent: Party | null, disputedFen: number | null, publication: string
}

const ROWS = 1000
const DAY_MS = 86_400_000
const UPSERT = `
  INSERT INTO complaint_plain AS c (record_id, version, state, registered_on, accepted_on, handling_division, uscc, trader_name, trader_division, disputed_fen, publication)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[])
  ON CONFLICT (record_id) DO UPDATE SET version = excluded.version, state = excluded.state, registered_on = excluded.registered_on,
    accepted_on = excluded.accepted_on, handling_division = excluded.handling_division, uscc = excluded.uscc, trader_name = excluded.trader_name,
    trader_division = excluded.trader_division, disputed_fen = excluded.disputed_fen, publication = excluded.publication
  WHERE c.version < excluded.version`

serveChild(async (settings: EachBatchSettings, say) => {
  const kafka = new kafkajs.Kafka({ brokers: settings.brokers, sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password }, logLevel: kafkajs.logLevel.NOTHING })
  const registry = new SchemaRegistry({ host: settings.registryUrl })
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: settings.partitionsAtOnce })
  await pool.query(`CREATE TABLE IF NOT EXISTS complaint_plain (record_id text PRIMARY KEY, version bigint NOT NULL, state text NOT NULL, registered_on date NOT NULL,
    accepted_on date, handling_division text, uscc text, trader_name text, trader_division text, disputed_fen bigint, publication text NOT NULL)`)
  const consumer = kafka.consumer({ groupId: settings.groupId, maxWaitTimeInMs: 100 })
  const done = Promise.withResolvers<void>()
  let written = 0
  await consumer.connect()
  await consumer.subscribe({ topic: settings.topic, fromBeginning: true })
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error))
  await consumer.run({
    partitionsConsumedConcurrently: settings.partitionsAtOnce,
    eachBatch: async ({ batch, heartbeat, resolveOffset }) => {
      for (let from = 0; from < batch.messages.length; from += ROWS) {
        const part = batch.messages.slice(from, from + ROWS)
        const records = await Promise.all(part.filter(({ key }) => key?.toString() !== 'genesis').map(({ value }) => registry.decode(value!) as Promise<Complaint>))
        const newest = new Map(records.map((record) => [record.recordId, record]))
        await pool.query({ name: 'upsert', text: UPSERT, values: columns([...newest.values()]) })
        resolveOffset(part.at(-1)!.offset)
        await heartbeat()
        written += records.length
        say({ written })
      }
      if (written >= settings.expected) done.resolve()
    },
  })
  await done.promise
  await consumer.disconnect()
  await pool.end()
  return { written }
})

function columns(records: Complaint[]): unknown[] {
  const trader = (record: Complaint): Party | null => record.verified ?? record.respondent
  return [
    records.map((record) => record.recordId), records.map((record) => record.version), records.map((record) => record.state),
    records.map((record) => day(record.registeredOn)), records.map((record) => day(record.acceptedOn)), records.map((record) => record.handlingDivision),
    records.map((record) => trader(record)?.uscc ?? null), records.map((record) => trader(record)?.name ?? null), records.map((record) => trader(record)?.division ?? null),
    records.map((record) => record.disputedFen), records.map((record) => record.publication),
  ]
}

function day(days: number | null): string | null {
  return days === null ? null : new Date(days * DAY_MS).toISOString().slice(0, 10)
}
