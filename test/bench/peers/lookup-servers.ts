import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { createHash, randomUUID } from 'node:crypto'
import pg from 'pg'
import { createLog } from '@hub/runtime/log'
import { contractByName } from '@hub/schemas/contracts'
import { partitionOf } from '@hub/schemas/partition'
import { toJson } from '@hub/schemas/record-json'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import { serveChild } from '../child.ts'
import { codeOf, eventIdOf, listingOf, nameOf, recordIdOf } from '../credit.ts'
import { answerOf, shanghaiTime, type PeerRecord, type Stored } from './lookup-answer.ts'

export interface LookupServersSettings {
  readonly region: Region
  /** The one key that is let in. */
  readonly key: string
  readonly databaseUrl: string
  /** Port of a Redis server; left out where there is none. */
  readonly redisPort?: number
  readonly subjects: number
}

export interface LookupServers { readonly url: string, readonly pid: number }

const CHUNK = 5_000
const CONTRACT = contractByName('cn.yrd.credit_blacklist.CreditRecord')!
const CODE = /^[0-9ABCDEFGHJKLMNPQRTUWXY]{18}$/
const AUTHORITY = ['code', 'name', 'raw_name']
const columnsOf = (prefix: string): string => AUTHORITY.map((one) => `${prefix}_${one} text`).join(', ')
const TABLE = `CREATE TABLE bench_credit (
  uscc text COLLATE "C" PRIMARY KEY, topic text NOT NULL, partition int NOT NULL, "offset" bigint NOT NULL, event_id text NOT NULL, record_id text NOT NULL, version bigint NOT NULL, kind text NOT NULL, region text NOT NULL,
  ${columnsOf('authority')}, occurred_on date NOT NULL, recorded_at timestamptz NOT NULL, legal_basis text NOT NULL, record_type text NOT NULL, list_type text NOT NULL, regime text, name text, reg_no text, pripid text,
  entity_type text, division text, subject_region text, ground text, ground_text text, decision_no text, listed_on date, ${columnsOf('listed_by')}, until date, shield_from date, shield_until date, shield_decision_no text,
  removal_date date, removal_path text, removal_ground text, removal_ground_text text, ${columnsOf('removal_authority')}, removal_decision_no text, penalty_decision_no text, violation_type text, violation_text text,
  measures text[], fine_fen bigint, confiscated_fen bigint, decided_on date, public_until date, publication text NOT NULL, published_on date)`

type Row = Readonly<Record<string, string | null>> & { readonly partition: number; readonly measures: readonly string[] | null; readonly recorded_at: Date }

/**
 * `/pg/…` and `/redis/…`: the lookup that a competent team would put together in an afternoon, with the same answer. Fastify with a check of the key and one line of pino
 * for each request; pg with named statements on a table of typed columns, or ioredis with auto-pipelining and each listing as JSON; the answer is an object and
 * `JSON.stringify`. Not here: limits of rates, roles, other writings of a code, several records of a firm, lists that change, and any doubt about a region.
 */
serveChild(async ({ region, key, databaseUrl, redisPort, subjects }: LookupServersSettings, say) => {
  // Days as they stand in the column, whole numbers as numbers.
  pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text)
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 })
  const redis = redisPort === undefined ? undefined : new Redis({ port: redisPort, host: '127.0.0.1', enableAutoPipelining: true })
  await fill()

  const positions = REGIONS.map((one) => Array.from({ length: PARTITIONS['credit-blacklist'] }, (_, partition) => ({ topic: `${one}.credit-blacklist`, partition, generation: randomUUID(), next: 41_802 })))
  const lastHandOver = shanghaiTime(Date.now())
  /** How far the answer reaches: kept beside, not asked for with every question. */
  const asOf = REGIONS.map((one, n) => ({ region: one, complete: true, positions: positions[n], transportAgeSeconds: 1.24, sources: [{ source: 'credit', lastHandOver }] }))
  const cursor = '5f0c2a91.1a.4.9.2f.3.1.8.8.2.1.1.7'
  const today = (): string => shanghaiTime(Date.now()).slice(0, 10)
  const log = createLog({ service: 'bench', level: 'info' })
  const keyHash = createHash('sha256').update(key).digest('hex')

  const app = Fastify()
  app.addHook('onRequest', async ({ headers: { authorization } }, reply) => {
    if (authorization?.startsWith('Bearer ') !== true || createHash('sha256').update(authorization.slice(7)).digest('hex') !== keyHash) await reply.code(401).send({ title: 'no key' })
  })
  app.addHook('onResponse', (request, reply, done) => {
    log.info({ method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10, request: request.id }, 'request')
    done()
  })
  const single = (path: string, find: (code: string) => Promise<Stored | undefined>): void => {
    app.get<{ Params: { code: string } }>(path, async ({ params: { code } }, reply) => {
      if (!CODE.test(code)) return reply.code(400).send({ title: 'no code' })
      return { ...answerOf(code, await find(code), region, today()), at: shanghaiTime(Date.now()), cursor, asOf }
    })
  }
  single('/pg/v1/credit/:code', async (code) => storedIn((await pool.query<Row>({ name: 'one', text: 'SELECT * FROM bench_credit WHERE uscc = $1', values: [code] })).rows[0]))
  single('/redis/v1/credit/:code', async (code) => {
    const text = await redis!.get(code)
    return text === null ? undefined : JSON.parse(text) as Stored
  })
  app.post<{ Body: { codes: string[] } }>('/pg/v1/credit/batch', async ({ body: { codes } }, reply) => {
    const { rows } = await pool.query<Row>({ name: 'many', text: 'SELECT * FROM bench_credit WHERE uscc = ANY ($1)', values: [codes] })
    const found = new Map(rows.map((row) => [row['uscc'], row]))
    const day = today()
    return reply.type('application/x-ndjson').send([
      { head: { at: shanghaiTime(Date.now()), cursor, asOf, incomplete: [] } }, ...codes.map((code) => answerOf(code, storedIn(found.get(code)), region, day)),
    ].map((line) => `${JSON.stringify(line)}\n`).join(''))
  })
  say({ url: await app.listen({ host: '127.0.0.1', port: 0 }), pid: process.pid } satisfies LookupServers)
  await new Promise(() => {})

  /** The subjects differ in code, name, number and region. */
  async function fill(): Promise<void> {
    await pool.query(TABLE)
    const one = toJson(CONTRACT, listingOf(0, 1)) as PeerRecord
    const constant = { ...rowOf(one), uscc: null, topic: null, partition: null, offset: null, event_id: null, record_id: null, region: null, name: null }
    const columns = Object.keys(constant).filter((name) => (constant as Record<string, unknown>)[name] !== null)
    const types = new Map((await pool.query<{ name: string, type: string }>(`SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'bench_credit'::regclass AND attnum > 0`)).rows.map(({ name, type }) => [name, type]))
    const text = `INSERT INTO bench_credit (uscc, topic, partition, "offset", event_id, record_id, region, name, ${columns.join(', ')})
      SELECT uscc, region || '.credit-blacklist', partition, 40117, event_id, record_id, region, name, ${columns.map((name, n) => `$${n + 7}::${types.get(name)}`).join(', ')}
      FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[]) AS t(uscc, partition, event_id, record_id, region, name)`
    for (let from = 0; from < subjects; from += CHUNK) {
      const numbers = Array.from({ length: Math.min(CHUNK, subjects - from) }, (_, n) => from + n)
      const regionOf = (n: number): Region => REGIONS[n % 4]!
      const partitions = numbers.map((n) => partitionOf(recordIdOf(n), PARTITIONS['credit-blacklist']))
      await Promise.all([
        pool.query({ name: 'fill', text, values: [numbers.map(codeOf), partitions, numbers.map((n) => eventIdOf(n, 1)), numbers.map(recordIdOf), numbers.map(regionOf), numbers.map(nameOf), ...columns.map((name) => (constant as Record<string, unknown>)[name])] }),
        redis?.mset(...numbers.flatMap((n, at) => [codeOf(n), JSON.stringify({
          topic: `${regionOf(n)}.credit-blacklist`, partition: partitions[at]!, offset: 40_117,
          record: { ...one, eventId: eventIdOf(n, 1), recordId: recordIdOf(n), region: regionOf(n), subject: { ...one['subject'] as object, uscc: codeOf(n), name: nameOf(n) } },
        } satisfies Stored)])),
      ])
    }
    await pool.query('VACUUM ANALYZE bench_credit')
  }
})

function storedIn(row: Row | undefined): Stored | undefined {
  if (row === undefined) return undefined
  const authority = (prefix: string): object => ({ code: row[`${prefix}_code`], name: row[`${prefix}_name`], rawName: row[`${prefix}_raw_name`] })
  const { topic, partition, offset } = row as unknown as { topic: string, partition: number, offset: number }
  return { topic, partition, offset, record: {
    eventId: row['event_id']!, recordId: row['record_id'], version: row['version'], kind: row['kind']!, region: row['region']!, authority: authority('authority'),
    occurredOn: row['occurred_on'], recordedAt: shanghaiTime(row.recorded_at.getTime()), legalBasis: row['legal_basis'], recordType: row['record_type']!, listType: row['list_type']!, regime: row['regime'],
    subject: { name: row['name'], uscc: row['uscc'], regNo: row['reg_no'], pripid: row['pripid'], entityType: row['entity_type'], division: row['division'], region: row['subject_region'] },
    ground: row['ground'], groundText: row['ground_text'], decisionNo: row['decision_no'], listedOn: row['listed_on'],
    listedBy: row['listed_by_code'] === null && row['listed_by_name'] === null && row['listed_by_raw_name'] === null ? null : authority('listed_by'),
    until: row['until']!, shield: row['shield_from'] == null ? null : { from: row['shield_from'], until: row['shield_until']!, decisionNo: row['shield_decision_no'] },
    removal: row['removal_date'] == null ? null : {
      date: row['removal_date'], path: row['removal_path'], ground: row['removal_ground'], groundText: row['removal_ground_text'],
      authority: row['removal_authority_code'] === null && row['removal_authority_name'] === null && row['removal_authority_raw_name'] === null ? null : authority('removal_authority'), decisionNo: row['removal_decision_no'],
    },
    penalty: row['penalty_decision_no'] === null ? null : {
      decisionNo: row['penalty_decision_no'], violationType: row['violation_type'], violationText: row['violation_text'], measures: row.measures, fineFen: row['fine_fen'], confiscatedFen: row['confiscated_fen'],
      decidedOn: row['decided_on'], publicUntil: row['public_until']!,
    },
    publication: row['publication']!, publishedOn: row['published_on'],
  } as PeerRecord }
}

/** The columns that the sample has a value for. */
function rowOf(record: PeerRecord): Record<string, unknown> {
  const values = record as unknown as Record<string, Record<string, unknown> | null>
  const authority = (prefix: string, from: Record<string, unknown> | null | undefined): Record<string, unknown> => ({ [`${prefix}_code`]: from?.['code'] ?? null, [`${prefix}_name`]: from?.['name'] ?? null, [`${prefix}_raw_name`]: from?.['rawName'] ?? null })
  const { subject, shield, removal, penalty } = values
  return {
    version: record['version'], kind: record.kind, ...authority('authority', values['authority']), occurred_on: record['occurredOn'], recorded_at: record['recordedAt'], legal_basis: record['legalBasis'], record_type: record.recordType,
    list_type: record.listType, regime: record['regime'], reg_no: subject!['regNo'], pripid: subject!['pripid'], entity_type: subject!['entityType'], division: subject!['division'], subject_region: subject!['region'],
    ground: record['ground'], ground_text: record['groundText'], decision_no: record['decisionNo'], listed_on: record['listedOn'], ...authority('listed_by', values['listedBy']), until: record.until,
    shield_from: shield?.['from'] ?? null, shield_until: shield?.['until'] ?? null, shield_decision_no: shield?.['decisionNo'] ?? null,
    removal_date: removal?.['date'] ?? null, removal_path: removal?.['path'] ?? null, removal_ground: removal?.['ground'] ?? null, removal_ground_text: removal?.['groundText'] ?? null, ...authority('removal_authority', removal?.['authority'] as Record<string, unknown> | null), removal_decision_no: removal?.['decisionNo'] ?? null,
    penalty_decision_no: penalty?.['decisionNo'] ?? null, violation_type: penalty?.['violationType'] ?? null, violation_text: penalty?.['violationText'] ?? null, measures: penalty?.['measures'] ?? null, fine_fen: penalty?.['fineFen'] ?? null, confiscated_fen: penalty?.['confiscatedFen'] ?? null, decided_on: penalty?.['decidedOn'] ?? null, public_until: penalty?.['publicUntil'] ?? null,
    publication: record.publication, published_on: record['publishedOn'],
  }
}
