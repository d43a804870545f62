import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { confirmed } from '../confirm.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { openReplicas, type Replica } from '../replicas.ts'
import { ask } from '../request.ts'
import { toRegion } from '../settings.ts'

const DEADLINE_MS = 6 * 3_600_000
const POLL_MS = 500

interface Cleared { place: string, rows: number, refused: string | null }
interface Rebuilt { region: string, partitions: Cleared[] }

/** `hub rebuild`: has partitions of a replica cleared and replayed from their logs. */
export function addRebuild(program: Command, cli: Cli): void {
  cli.command(program, 'rebuild', '清空副本的一个分区、主题或全部，从日志重放；其余照常；写入审计', 'clear a partition, a topic or all of a replica and replay it from the log, while the others go on; audited')
    .argument('[topic]', '主题，如 zj.complaint；不写须有 --all · topic; without it --all is needed').argument('[partition]', '分区；不写则为全部 · partition; without it all of them')
    .requiredOption('--why <reason>', '原因，写入审计 · why; stands in the audit')
    .option('--region <region>', '只重建此地区的副本；不写则为已知的各地，逐个进行 · replica of this region alone; else of all that are known, one after the other')
    .option('--all', '全部主题 · every topic')
    .option('--yes', '不询问 · ask nothing')
    .action(cli.action(async ({ settings, out }, [topic, number], options) => {
      if (number !== undefined && !/^\d{1,4}$/.test(number)) throw new CliFailure(EXIT.validation, `分区应为从 0 起的整数，不是 ${number}。`, `A partition is a whole number from 0, not ${number}.`)
      if ((topic === undefined) !== (options['all'] === true)) throw new CliFailure(EXIT.validation, '请指定主题，或用 --all 重建全部。', 'Name a topic, or rebuild everything with --all.')
      const only = options['region'] === undefined ? undefined : toRegion(options['region'] as string)
      const known = settings()
      await using opened = openReplicas(known)
      const replicas = opened.replicas.filter(({ region }) => only === undefined || region === only)
      const full = topic === undefined || topic.startsWith(known.topicPrefix) ? topic ?? null : known.topicPrefix + topic
      const wish = { topic: full, partition: number === undefined ? null : Number(number) }
      const held = await Promise.all(replicas.map(async (replica) => ({ region: replica.region, ...(await readHeld(replica, wish)) })))
      if (held.some(({ partitions }) => partitions === 0n)) throw new CliFailure(EXIT.validation, `副本没有 ${topic ?? ''} ${number ?? ''}。`, `A replica has no ${topic ?? ''} ${number ?? ''}.`)
      for (const { region, partitions, records } of held) out.note(`${region}：将清空 ${partitions} 个分区、${records} 条记录并从日志重放；其间读到的数据不完整，变更流的读者须重新取快照`, `${region}: ${partitions} partitions with ${records} records are cleared and replayed from the log; meanwhile readers find less than there is, and followers of the change feed begin anew`)
      if (options['yes'] !== true && !await confirmed(cli, out, '重建？', 'Rebuild?')) {
        out.note('未做任何改动（用 --yes 可不询问）', 'Nothing was done (--yes asks nothing)')
        return EXIT.validation
      }
      const results: Rebuilt[] = []
      for (const replica of replicas) {
        const { partitions } = await ask<{ partitions: Cleared[] }, { place: string, rows: number }>(
          replica, { table: 'scrub_request', service: 'replicator', columns: { kind: 'rebuild', ...wish }, deadlineMs: DEADLINE_MS }, options['why'] as string,
          (progress) => { if (progress !== null) out.progress(`${replica.region} ${both('清空', 'clearing')} ${progress.place}`, progress.rows) })
        await replayed(replica, partitions.filter(({ refused }) => refused === null).map(({ place }) => place), (done, total) => out.progress(`${replica.region} ${both('重放', 'replaying')}`, done, total))
        out.progress()
        results.push({ region: replica.region, partitions })
      }
      out.result({ replicas: results }, () => table(['副本 replica', '分区 partition', '已清空行 rows cleared', '结果 result'],
        results.flatMap(({ region, partitions }) => partitions.map(({ place, rows, refused }) => [region, place, rows, refused ?? both('已重建', 'rebuilt')]))))
      return results.some(({ partitions }) => partitions.some(({ refused }) => refused !== null)) ? EXIT.runtime : EXIT.ok
    }))
}

async function readHeld({ db }: Replica, { topic, partition }: { topic: string | null, partition: number | null }): Promise<{ partitions: bigint, records: bigint }> {
  const { rows: [held] } = await db.query<{ partitions: bigint, records: bigint }>(
    'SELECT count(*) AS partitions, coalesce(sum(records), 0)::int8 AS records FROM consumer_offset WHERE ($1::text IS NULL OR topic = $1) AND ($2::int IS NULL OR partition = $2)', [topic, partition])
  return held!
}

/** Waits until these partitions are where their logs end. */
async function replayed({ region, db }: Replica, places: readonly string[], onProgress: (done: number, total: number) => void): Promise<void> {
  for (const deadline = performance.now() + DEADLINE_MS; ;) {
    const { rows: [at] } = await db.query<{ begun: bigint, done: number | null, total: number | null, behind: bigint }>(
      `SELECT count(*) AS begun, sum(next_offset - first_offset)::float8 AS done, sum(high_watermark - first_offset)::float8 AS total, count(*) FILTER (WHERE lag > 0 OR next_offset = first_offset) AS behind
         FROM partition_state WHERE topic || '/' || partition = ANY ($1::text[])`, [[...places]])
    if (at!.begun === BigInt(places.length) && at!.behind === 0n) return
    onProgress(at!.done ?? 0, at!.total ?? 0)
    if (performance.now() > deadline) throw new CliFailure(EXIT.runtime, `${region} 仍在重放，hub lag 可查看进度。`, `${region} still replays; "hub lag" shows how far it is.`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
