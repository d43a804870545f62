import type { Command } from 'commander'
import { DATA_STREAMS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table, type Output } from '../output.ts'
import { NotSettledError, openReplicas, settled, type Missing, type Replica } from '../replicas.ts'
import { importSample, type SampleFile } from '../sample.ts'
import { VERDICTS, verifyReplicas, type TopicVerdict } from '../verify.ts'
import { allEqual } from './verify.ts'

const DEADLINE_MS = 120_000

/** What one region has published of one stream since its data began, and what became of it. */
interface DemoRow {
  region: Region
  stream: DataStream
  published: bigint
  /** Per replica: `applied` with what was superseded within a transaction, and what is still to come. */
  replicas: { region: Region, applied: bigint, duplicate: bigint, parked: bigint, lag: bigint }[]
  records: bigint
  digest: string
  verdict: TopicVerdict['verdict']
}

export function addDemo(program: Command, cli: Cli): void {
  cli.command(program, 'demo', '导入各地区的示例文件，等待全部到达并比较副本', "import each region's sample files, wait until everything has arrived, compare the replicas")
    .argument('<folder>', '示例文件目录，imports.json 列出各文件 · folder of the files, listed in its imports.json')
    .action(cli.action(async ({ settings, out }, [folder]) => {
      const known = settings()
      const files = await importSample(known, folder ?? '.', out)
      await using opened = openReplicas(known)
      await arrive(opened.replicas, out)
      const verdicts = await verifyReplicas(opened.replicas)
      const rows = await readRows(opened.replicas, known.topicPrefix, verdicts)
      const equal = allEqual(verdicts)
      out.result({ equal, files, rows }, () => `${describeFiles(files)}\n\n${describe(rows, equal)}`)
      return equal && files.every(({ state }) => state === 'done') ? EXIT.ok : EXIT.runtime
    }))
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

async function readRows(replicas: readonly Replica[], prefix: string, verdicts: readonly TopicVerdict[]): Promise<DemoRow[]> {
  const counters = await Promise.all(replicas.map(async ({ region, db }) => ({ region, topics: await readCounters(db) })))
  const totals = await Promise.all(replicas.map(({ db }) => readPublished(db)))
  return replicas.flatMap(({ region }) => DATA_STREAMS.flatMap((stream) => {
    const topic = topicName(region, stream, prefix)
    const verdict = verdicts.find((one) => one.topic === topic)
    const published = totals.map((one) => one.get(topic)).find((one) => one !== undefined)
    if (verdict === undefined || published === undefined) return []
    return [{
      region, stream, published,
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

const OUTCOMES = [
  ['accepted', '采纳'], ['new-version', '新版本'], ['tallied', '计数'], ['waiting', '等待'], ['duplicate', '重复'], ['stale', '过期'], ['conflict', '冲突'], ['refused', '拒绝'], ['skipped', '略过'],
] as const

/** One line a file; verdicts that no row got are left out. */
function describeFiles(files: readonly SampleFile[]): string {
  const shown = OUTCOMES.filter(([verdict]) => files.some(({ verdicts }) => (verdicts[verdict] ?? 0) > 0))
  const sum = (of: (file: SampleFile) => number): number => files.reduce((total, file) => total + of(file), 0)
  return table(['文件 file', '来源 source', '行 rows', ...shown.map(([verdict, zh]) => `${zh} ${verdict}`), '事件 events'], [
    ...files.map(({ file, source, state, rows, verdicts, events }) => [file, state === 'done' ? source : `${source} ${state}`, rows, ...shown.map(([verdict]) => verdicts[verdict] ?? 0), events]),
    ['合计 total', '', sum(({ rows }) => rows), ...shown.map(([verdict]) => sum(({ verdicts }) => verdicts[verdict] ?? 0)), sum(({ events }) => events)],
  ])
}

function describe(rows: readonly DemoRow[], equal: boolean): string {
  const replicas = rows[0]?.replicas.map(({ region }) => region) ?? []
  const body = rows.map((row) => [
    row.region, row.stream, row.published, ...row.replicas.map(({ applied }) => applied),
    max(row.replicas.map(({ lag }) => lag)), row.records, row.digest.slice(0, 12), `${VERDICTS[row.verdict]} ${row.verdict}`,
  ])
  return [
    table(['地区 region', '流 stream', '已发布 published', ...replicas.map((region) => `应用 applied ${region}`), '落后 lag', '记录 records', '摘要 digest', '结论 verdict'], body),
    '',
    equal ? both(`${replicas.length} 个副本一致`, `${replicas.length} replicas are equal`) : both('副本不一致', 'the replicas are not equal'),
  ].join('\n')
}

function max(values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n)
}
