import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { Calendar } from '@hub/announcer/calendar/calendar'
import { loadCalendar } from '@hub/announcer/calendar/load'
import { planOf, type CampaignId, type Plan } from '@hub/announcer/campaigns'
import { digestOf } from '@hub/announcer/canonical'
import { statementOf } from '@hub/announcer/edition/statement'
import type { Cells } from '@hub/announcer/figures/cells'
import { runsOf, spansOf } from '@hub/announcer/figures/periods'
import { coverOf } from '@hub/announcer/markers'
import { type Own, recompute } from '@hub/announcer/recompute'
import { basisOf, beginningsAt, readCuts, regionsAtCut } from '@hub/announcer/store/cuts'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import { copyCuts } from '@hub/replicator/store/cuts'
import type { Move } from '@hub/replicator/store/positions'
import type { Db } from '@hub/runtime/db'
import { PARTITIONS, REGIONS, topicName, type Region } from '@hub/schemas/streams'
import { figure, median, mustEqual, VoidRun, type Bench, type BenchContext, type Figure } from './bench.ts'
import { openHub } from './hub.ts'
import { recountSql } from './peers/announcement-sql.ts'

const HOST: Region = 'sh'
/** The one that reads most, a whole year and the year before, and a holiday; both with twelve months of traders. */
const CAMPAIGNS: readonly CampaignId[] = ['315', 'spring-festival']
const YEAR = 2026
const DUCKDB = '1.4.2'
const run = promisify(execFile)

/** One announcement from its copies, beside the recount of the complaints that they stand for: by PostgreSQL on the replica's own table, and by DuckDB on the same rows. */
export const announcement: Bench = {
  name: 'announcement',
  what: '联合公示 · all figures of one announcement, beside a recount by PostgreSQL and by DuckDB',
  async run(context) {
    const complaints = context.quick ? 500_000 : 5_000_000
    await using hub = await openHub(await context.stack(), context.profileDir)
    const replicator = await hub.start('replicator', HOST)
    const db = hub.db(HOST)
    const partitions = REGIONS.length * (PARTITIONS.complaint + PARTITIONS.tally)
    await begun(db, partitions)
    await replicator.stop()
    await fill(db, complaints, context)
    const figures: Figure[] = []
    for (const campaign of CAMPAIGNS) figures.push(...await measured(context, db, campaign, hub.prefix, complaints, partitions))
    return figures
  },
}

async function measured(context: BenchContext, db: Db, campaign: CampaignId, prefix: string, complaints: number, partitions: number): Promise<Figure[]> {
  const rounds = context.quick ? 3 : 5
  const calendar = loadCalendar()
  const plan = planOf(calendar, campaign, YEAR)
  const copying = await timed(() => cutAll(db, prefix, plan, calendar))
  await db.query({ text: 'VACUUM ANALYZE', timeoutMs: 900_000 })
  const cuts = await readCuts(db, campaign, YEAR)
  mustEqual('partitions cut', cuts.length, partitions)

  const asked = async (): Promise<Own> => recompute({ db, plan, calendar, cuts, topicPrefix: prefix }, { edition: 1, missing: [], corrections: [], retracts: false, before: undefined })
  // What the announcer does once when the last marker has been applied: the copies of the traders are added up and their list is kept.
  const [first, own]: [number[], number[]] = [[], []]
  let digest = ''
  for (let round = 0; round < rounds; round++) {
    await db.query('DELETE FROM cut_trader_list')
    const found: Own[] = []
    for (const times of [first, own]) times.push(await timed(async () => { found.push(await asked()) }))
    const [made, kept] = found.map(({ statement, list }) => [digestOf(statement), digestOf(list)])
    mustEqual('figures and traders that are kept', String(kept), String(made))
    digest = made![0]!
  }
  context.say(`${campaign}: copies of ${cuts.length} partitions ${copying.toFixed(0)} ms, figures for the first time ${median(first).toFixed(0)} ms, then ${median(own).toFixed(1)} ms`)

  const spans = spansOf(plan, calendar)
  const windows = [spans.window, ...(spans.earlier === null ? [] : [spans.earlier])].map(({ from, to }) => `registered_on BETWEEN DATE '${from}' AND DATE '${to}'`).join(' OR ')
  const queries = recountSql(`(${windows})`, `registered_on BETWEEN DATE '${spans.traders.from}' AND DATE '${spans.traders.to}'`)
  const digestOfRows = (rows: Rows): string =>
    digestOf(statementOf({ plan, demo: false, regions: regionsAtCut(cuts), basis: basisOf(cuts, prefix), cells: cellsOf(rows, spans.traders.from), begin: beginningsAt(cuts) }, calendar))
  const postgres: number[] = []
  for (let round = 0; round < rounds; round++) {
    postgres.push(await timed(async () => {
      const [days, classes, traders] = await Promise.all([queries.days, queries.classes, queries.traders].map(async (text) => (await db.query({ text, timeoutMs: 600_000 })).rows))
      mustEqual('figures of the recount', digestOfRows({ days, classes, traders } as unknown as Rows), digest)
    }))
  }
  context.say(`${campaign}: recount by PostgreSQL ${median(postgres).toFixed(0)} ms`)
  const duck = await duckdb(db, queries, rounds)
  if (duck === undefined) context.say('DuckDB gave no answer in time, not compared with it')
  else {
    mustEqual('figures of DuckDB', digestOfRows(duck.rows), digest)
    context.say(`${campaign}: recount by DuckDB ${duck.version} ${median(duck.ms).toFixed(0)} ms`)
  }

  const services = [`PostgreSQL with the replica of ${HOST}`]
  const settings = { complaints, campaign: `${campaign}/${YEAR}`, partitions: cuts.length, copyingMs: Math.round(copying) }
  return [
    figure({ bench: `announcement.${campaign}`, unit: 'ms', better: 'lower', floor: 200, aim: 50, services, settings }, own),
    figure({ bench: `announcement.${campaign}.first`, unit: 'ms', better: 'lower', services, settings }, first),
    figure({ bench: `announcement.${campaign}`, peer: 'PostgreSQL recount', unit: 'ms', better: 'lower', services, settings }, postgres),
    ...(duck === undefined ? [] : [figure({ bench: `announcement.${campaign}`, peer: `DuckDB ${duck.version} recount`, unit: 'ms', better: 'lower', services: [...services, 'DuckDB in Python'], settings }, duck.ms)]),
    figure({ bench: `announcement.${campaign}.times`, unit: 'times as fast as the PostgreSQL recount', better: 'higher', floor: 20, services, settings }, own.map((ms, round) => postgres[round]! / ms)),
  ]
}

interface Rows {
  readonly days: readonly { region: Region, day: string, state: string | null, outcome: string | null, online: boolean | null, n: string, fen: string }[]
  readonly classes: readonly { region: Region, day: string, dimension: 'object' | 'issue' | 'channel', kind: string | null, code: string | null, received: string, counted: string }[]
  readonly traders: readonly { region: Region, uscc: string, name: string | null, counted: string, accepted: string, settled: string, terminated: string }[]
}

function cellsOf({ days, classes, traders }: Rows, day: string): Cells {
  return {
    days: days.map(({ fen, n, ...row }) => ({ ...row, n: Number(n), recoveredFen: BigInt(fen) })),
    classes: classes.map(({ received, counted, ...row }) => ({ ...row, received: Number(received), counted: Number(counted) })),
    tallies: [],
    traders: traders.map(({ counted, accepted, settled, terminated, ...row }) => ({ ...row, day, counted: Number(counted), accepted: Number(accepted), settled: Number(settled), terminated: Number(terminated) })),
  }
}

/** The replica has begun every partition that is to be cut. */
async function begun(db: Db, partitions: number): Promise<void> {
  for (const deadline = performance.now() + 60_000; (await db.query(`SELECT FROM consumer_offset WHERE stream IN ('complaint', 'tally')`)).rowCount < partitions;) {
    if (performance.now() > deadline) throw new VoidRun('the replica did not begin its partitions')
    await delay(100)
  }
}

/** Complaints of 2024 to March 2026 of 200 000 firms, the counts that the product makes of them, and an index that helps a recount. */
async function fill(db: Db, complaints: number, context: BenchContext): Promise<void> {
  const slow = (text: string): Promise<unknown> => db.query({ text, timeoutMs: 900_000 })
  await slow('DROP INDEX complaint_changes')
  await slow('DROP INDEX complaint_by_uscc')
  await slow('SELECT setseed(0.315)')
  await slow(
    `INSERT INTO complaint (region, record_id, version, kind, ended, partition, log_offset, change_no, event_id, hash_hi, hash_lo, body, state, registered_on, uscc, trader_name, entity_type, object_kind, object_class, issue, channel, recovered_fen, mediation_outcome, online)
     SELECT (ARRAY['sh','js','zj','ah'])[1 + i % 4], 'bench/' || lpad(i::text, 9, '0'), 1, 'original', false, i / 4 % ${PARTITIONS.complaint}, i, i, '', i, i, '\\x00', s, DATE '2024-01-01' + (random() * 800)::int,
            '91' || lpad(firm::text, 16, '0'), '企业' || firm, 'enterprise', CASE WHEN random() < 0.6 THEN 'goods' ELSE 'services' END, 'K' || (10 + (random() * 40)::int), 'Q' || lpad((random() * 30)::int::text, 4, '0'), 'C' || (random() * 8)::int,
            CASE WHEN s = 'settled' THEN (random() * 500000)::bigint END, CASE s WHEN 'settled' THEN 'settled' WHEN 'closed' THEN 'terminated' END, random() < 0.5
       FROM (SELECT i, (power(random(), 3) * 200000)::int AS firm, (ARRAY['received','transferred','refused','accepted','settled','settled','settled','closed','closed','settled'])[1 + (random() * 9)::int] AS s FROM generate_series(1, ${complaints}) AS i) AS g`)
  context.say(`${complaints} complaints`)
  await slow('CREATE INDEX bench_registered ON complaint (registered_on)')
  for (const table of ['complaint_day', 'complaint_class_day', 'trader_day']) await slow(`INSERT INTO ${table} SELECT * FROM ${table}_recount`)
  await slow('VACUUM ANALYZE')
  context.say('counted')
}

/** Every partition is cut, in one transaction of its own as an applier does it. */
async function cutAll(db: Db, prefix: string, plan: Plan, calendar: Calendar): Promise<void> {
  const cover = coverOf(plan, calendar)
  const { periods, traders } = spansOf(plan, calendar)
  for (const region of REGIONS) {
    for (const stream of ['complaint', 'tally'] as const) {
      for (let partition = 0; partition < PARTITIONS[stream]; partition++) {
        const topic = topicName(region, stream, prefix)
        const marker = { campaign: plan.campaign, year: plan.year, cutAt: Date.parse(plan.cut), firstDay: cover.from, lastDay: cover.to, demo: false, sources: [], periods: runsOf(periods).map(({ from, to }) => ({ firstDay: from, lastDay: to })), tradersFrom: traders.from }
        await db.tx(async (c) => copyCuts(c, [{ slot: { topic, partition, stream, region }, decision: { cut: { marker, offset: 1 } } } as unknown as Move]))
      }
    }
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** The same rows in DuckDB, in a Python environment of its own below .hub; undefined when it does not answer: with five million rows 1.4.2 stood still in a lock of its own. */
async function duckdb(db: Db, queries: Readonly<Record<string, string>>, rounds: number): Promise<{ ms: number[], rows: Rows, version: string } | undefined> {
  const venv = join(PROJECT_DATA_DIR, 'bench-python')
  if (!existsSync(join(venv, 'bin/python'))) await run(process.env['HUB_PYTHON'] ?? 'python3', ['-m', 'venv', venv]).catch((error: unknown) => { throw new VoidRun(`Python 3 with its venv module is needed: ${String(error)}`) })
  await run(join(venv, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', `duckdb==${DUCKDB}`])
  await using folder = { path: await mkdtemp(join(tmpdir(), 'hub-duckdb-')), [Symbol.asyncDispose]: () => rm(folder.path, { recursive: true, force: true }) }
  // The server, which is another user, writes the file.
  await chmod(folder.path, 0o777)
  const csv = join(folder.path, 'complaint.csv')
  await db.query({ text: `COPY (SELECT region, kind, state, registered_on, uscc, trader_name, entity_type, publication, object_kind, object_class, issue, channel, recovered_fen, mediation_outcome, online FROM complaint) TO '${csv}' WITH (FORMAT csv, HEADER)`, timeoutMs: 900_000 })
  const child = run(join(venv, 'bin/python'), [fileURLToPath(new URL('./peers/announcement-duckdb.py', import.meta.url))], { maxBuffer: 512 * 1024 * 1024, timeout: 120_000 })
  child.child.stdin!.end(JSON.stringify({ csv, rounds, queries }))
  const answer = await child.catch((error: unknown) => {
    if ((error as { killed?: boolean }).killed !== true) throw error
  })
  if (answer === undefined) return undefined
  const { seconds, rows, version } = JSON.parse(answer.stdout) as { seconds: number[], rows: Rows, version: string }
  return { ms: seconds.map((one) => one * 1000), rows, version }
}
