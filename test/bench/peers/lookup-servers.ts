import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { answer, momentOf, toldBytes } from '@hub/credit-lookup/answer'
import type { RegionFacts } from '@hub/credit-lookup/completeness'
import { readQuestion } from '@hub/credit-lookup/question'
import { keepCallers } from '@hub/runtime/callers'
import { createCodec } from '@hub/runtime/codec'
import { createHttp, Problem } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { ALL_CONTRACTS, contractByName } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { dateText } from '@hub/schemas/record-json'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import { todayInShanghai } from '@hub/schemas/visibility'
import { serveChild } from '../child.ts'
import { codeOf, listingOf } from '../credit.ts'

export interface LookupServersSettings {
  readonly region: Region
  readonly callersFile: string
  readonly databaseUrl: string
  readonly registryUrl: string
  readonly stateDir: string
  /** Port of a Redis server; left out where there is none. */
  readonly redisPort?: number
  readonly subjects: number
}

export interface LookupServers { readonly url: string }

const CHUNK = 5_000
const CONTRACT = 'cn.yrd.credit_blacklist.CreditRecord'

/**
 * `/pg/…` and `/redis/…`: the usual lookup over a store, with everything else our own: the same HTTP with the same keys, the same bytes of each listing, the
 * same code that decodes them, decides what may be seen and writes the same answer.
 */
serveChild(async ({ region, callersFile, databaseUrl, registryUrl, stateDir, redisPort, subjects }: LookupServersSettings, say) => {
  // It says as much of each request as ours does.
  const log = createLog({ service: 'bench', level: 'info' })
  const metrics = createMetrics({})
  const codec = await createCodec({ registryUrl, cacheDir: stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 })
  const redis = redisPort === undefined ? undefined : new Redis({ port: redisPort, host: '127.0.0.1', enableAutoPipelining: true })
  await fill()
  const facts = REGIONS.map((one): RegionFacts => ({
    region: one, transportAgeMs: 1_240, unreadable: 0, proof: 'equal', sources: [{ sourceSystem: 'credit', cadenceSeconds: 400 * 86_400, baselineComplete: true, lastHandOverAt: Date.now() }],
    positions: Array.from({ length: PARTITIONS['credit-blacklist'] }, (_, partition) => ({ topic: `${one}.credit-blacklist`, partition, generation: randomUUID(), next: 41_802 })),
  }))
  let moment = momentOf(facts, '5f0c2a91.1a.4.9.2f.3.1.8.8.2.1.1.7', Date.now())
  setInterval(() => { moment = momentOf(facts, moment.cursor, Date.now()) }, 10).unref()
  const viewer = { kind: 'bureau', region, operator: false } as const

  function said(raw: string, body: Buffer | null | undefined): ReturnType<typeof answer> {
    const question = readQuestion(raw, dateText(todayInShanghai()))
    if (!question.ok) throw new Problem(400, 'CODE_WRONG', 'code')
    const decoded = body == null ? undefined : codec.decode(body)
    if (decoded?.ok === false) throw new Error('a listing cannot be decoded')
    return answer(question, decoded === undefined ? [] : [{ contract: contractByName(CONTRACT)!, record: decoded.record, topic: 'zj.credit-blacklist', partition: 1, offset: 40_117 }], [], moment, viewer)
  }

  const callers = await keepCallers(callersFile, log, metrics)
  const http = await createHttp({
    log, metrics, title: 'bench', host: '127.0.0.1', port: 0, readiness: async () => [], authenticate: callers.authenticate,
    routes(app) {
      const config = { access: { roles: ['reader' as const] } }
      app.get<{ Params: { code: string } }>('/pg/v1/credit/:code', { config }, async ({ params: { code } }, reply) => {
        const { rows } = await pool.query<{ body: Buffer }>({ name: 'one', text: 'SELECT body FROM bench_credit WHERE uscc = $1', values: [code] })
        return reply.type('application/json').send(toldBytes(said(code, rows[0]?.body), moment))
      })
      app.get<{ Params: { code: string } }>('/redis/v1/credit/:code', { config }, async ({ params: { code } }, reply) => reply.type('application/json').send(toldBytes(said(code, await redis!.getBuffer(code)), moment)))
      app.post<{ Body: { codes: string[] } }>('/pg/v1/credit/batch', { config }, async ({ body: { codes } }, reply) => {
        const { rows } = await pool.query<{ uscc: string, body: Buffer }>({ name: 'many', text: 'SELECT uscc, body FROM bench_credit WHERE uscc = ANY ($1)', values: [codes] })
        const found = new Map(rows.map(({ uscc, body }) => [uscc, body]))
        return reply.type('application/x-ndjson').send(codes.map((code) => `${JSON.stringify(said(code, found.get(code)))}\n`).join(''))
      })
    },
  })
  say({ url: http.url } satisfies LookupServers)
  await new Promise(() => {})

  async function fill(): Promise<void> {
    const { encode } = await codec.writer(CONTRACT)
    await pool.query('CREATE TABLE bench_credit (uscc text COLLATE "C" PRIMARY KEY, body bytea NOT NULL)')
    for (let from = 0; from < subjects; from += CHUNK) {
      const numbers = Array.from({ length: Math.min(CHUNK, subjects - from) }, (_, n) => from + n)
      const bodies = numbers.map((n) => encode(listingOf(n, 1)))
      await Promise.all([
        pool.query({ name: 'fill', text: 'INSERT INTO bench_credit SELECT * FROM unnest($1::text[], $2::bytea[])', values: [numbers.map(codeOf), bodies] }),
        redis?.mset(...numbers.flatMap((n, at) => [codeOf(n), bodies[at]!])),
      ])
    }
    await pool.query('VACUUM ANALYZE bench_credit')
  }
})
