import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { DATA_STREAMS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table, type Output } from '../output.ts'
import { NotSettledError, openReplicas, settled, type Missing, type Replica } from '../replicas.ts'
import { clientOf, regionsWith, type Settings } from '../settings.ts'
import { VERDICTS, verifyReplicas, type TopicVerdict } from '../verify.ts'
import { publishLines } from './publish.ts'
import { allEqual } from './verify.ts'

const DEADLINE_MS = 120_000

/** What became of one region's events of one stream. */
interface DemoRow {
  region: Region
  stream: DataStream
  /** Verdicts of this run's sample. */
  summary: Readonly<Record<string, number>>
  /** Events this region has acknowledged since its data began. */
  published: bigint
  /** Of those, per replica: `applied` with what was superseded within a transaction, and what is still to come. */
  replicas: { region: Region, applied: bigint, duplicate: bigint, parked: bigint, lag: bigint }[]
  records: bigint
  digest: string
  verdict: TopicVerdict['verdict']
}

export function addDemo(program: Command, cli: Cli): void {
  cli.command(program, 'demo', '发布各地区的示例数据，等待全部到达并比较副本', "publish each region's sample, wait until everything has arrived, compare the replicas")
    .argument('<folder>', '示例数据目录（<地区>.ndjson） · folder of the samples, <region>.ndjson')
    .action(cli.action(async ({ settings, out }, [folder]) => {
      const known = settings()
      const regions = regionsWith(known, 'gateway').map(({ region }) => region)
      const published = await Promise.all(regions.map((region) => publishSample(known, region, folder ?? '.', out)))
      await using opened = openReplicas(known)
      await arrive(opened.replicas, out)
      const verdicts = await verifyReplicas(opened.replicas)
      const rows = await readRows(opened.replicas, known.topicPrefix, published.flat(), verdicts)
      const equal = allEqual(verdicts)
      out.result({ equal, rows }, () => describe(rows, equal))
      return equal ? EXIT.ok : EXIT.runtime
    }))
}

type SampleResult = Pick<DemoRow, 'region' | 'stream' | 'summary'>

/** Lines `{stream, event}`, sent stream by stream in their order through the region's own gateway. */
async function publishSample(settings: Settings, region: Region, folder: string, out: Output): Promise<SampleResult[]> {
  const file = join(folder, `${region}.ndjson`)
  if (!existsSync(file)) throw new CliFailure(EXIT.validation, `没有示例文件 ${file}`, `There is no sample ${file}`)
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as { stream: DataStream, event: object })
  const client = clientOf(settings, region, 'publisher')
  const results: SampleResult[] = []
  for (const [stream, list] of Map.groupBy(lines, ({ stream }) => stream)) {
    const { summary } = await publishLines(client, stream, Readable.from(list.map(({ event }) => `${JSON.stringify(event)}\n`)))
    results.push({ region, stream, summary })
  }
  out.note(`${region} 已发布 ${lines.length} 条示例`, `${lines.length} sample events published in ${region}`)
  return results
}

async function arrive(replicas: readonly Replica[], out: Output): Promise<void> {
  let told = performance.now()
  try {
    await settled(replicas, DEADLINE_MS, (missing) => {
      if (performance.now() - told < 2000) return
      told = performance.now()
      out.note(`等待到达：${count(missing)} 条`, `waiting for ${count(missing)} events to arrive`)
    })
  } catch (error) {
    if (!(error instanceof NotSettledError)) throw error
    throw new CliFailure(EXIT.runtime, `${DEADLINE_MS / 1000} 秒后仍未全部到达：${error.message}。请运行 hub doctor。`, `Not everything arrived in ${DEADLINE_MS / 1000} s: ${error.message}. "hub doctor" says more.`)
  }
}

function count(missing: readonly Missing[]): bigint {
  return missing.reduce((total, { events }) => total + events, 0n)
}

async function readRows(replicas: readonly Replica[], prefix: string, published: readonly SampleResult[], verdicts: readonly TopicVerdict[]): Promise<DemoRow[]> {
  const counters = await Promise.all(replicas.map(async ({ region, db }) => ({ region, topics: await readCounters(db) })))
  const totals = await Promise.all(replicas.map(({ db }) => readPublished(db)))
  return replicas.flatMap(({ region }) => DATA_STREAMS.flatMap((stream) => {
    const topic = topicName(region, stream, prefix)
    const verdict = verdicts.find((one) => one.topic === topic)
    const total = totals.map((one) => one.get(topic)).find((one) => one !== undefined) ?? 0n
    const summary = published.find((one) => one.region === region && one.stream === stream)?.summary ?? {}
    if (verdict === undefined || (total === 0n && summary['total'] === undefined)) return []
    return [{
      region, stream, summary, published: total,
      replicas: counters.map((one) => ({ region: one.region, ...one.topics.get(topic)! })),
      records: verdict.replicas[0]?.records ?? 0n, digest: verdict.replicas[0]?.digest ?? '', verdict: verdict.verdict,
    }]
  }))
}

async function readCounters(db: Replica['db']): Promise<Map<string, Omit<DemoRow['replicas'][number], 'region'>>> {
  const { rows } = await db.query<{ topic: string, applied: bigint, duplicate: bigint, parked: bigint, lag: bigint }>(
    `SELECT topic, sum(applied + folded)::bigint AS applied, sum(duplicate)::bigint AS duplicate, sum(parked)::bigint AS parked, sum(lag)::bigint AS lag
       FROM partition_state GROUP BY topic`)
  return new Map(rows.map(({ topic, ...counts }) => [topic, counts]))
}

async function readPublished(db: Replica['db']): Promise<Map<string, bigint>> {
  const { rows } = await db.query<{ topic: string, events: bigint }>('SELECT topic, count(*) AS events FROM published GROUP BY topic')
  return new Map(rows.map(({ topic, events }) => [topic, events]))
}

function describe(rows: readonly DemoRow[], equal: boolean): string {
  const replicas = rows[0]?.replicas.map(({ region }) => region) ?? []
  const body = rows.map((row) => [
    row.region, row.stream, row.published, ...row.replicas.map(({ applied }) => applied),
    row.summary['duplicate'] ?? 0, max(row.replicas.map(({ lag }) => lag)), row.records, row.digest.slice(0, 12), `${VERDICTS[row.verdict]} ${row.verdict}`,
  ])
  return [
    table(['地区 region', '流 stream', '已发布 published', ...replicas.map((region) => `应用 applied ${region}`), '重复 duplicates', '落后 lag', '记录 records', '摘要 digest', '结论 verdict'], body),
    '',
    equal ? both(`${replicas.length} 个副本一致`, `${replicas.length} replicas are equal`) : both('副本不一致', 'the replicas are not equal'),
  ].join('\n')
}

function max(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n)
}
