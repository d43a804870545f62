import type { Command } from 'commander'
import { REGIONS } from '@hub/schemas/streams'
import type { Cli } from '../cli.ts'
import { confirmed } from '../confirm.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { openReplicas } from '../replicas.ts'
import { ask } from '../request.ts'
import { toRegion } from '../settings.ts'

const DEADLINE_MS = 6 * 3_600_000

interface Partition { place: string, published: number, waiting: number, lost: number, records: string[] }

/** `hub republish`: the origin of a topic that was created anew puts everything on the new log. */
export function addRepublish(program: Command, cli: Cli): void {
  cli.command(program, 'republish', '主题重建后，由来源地把全部现行记录重新发布到新日志；写入审计', 'after a topic was created anew, its origin publishes every current record again, on the new log; audited')
    .argument('[topic]', '主题，如 zj.complaint；不写则为该地区全部被重建的主题 · topic; without it every topic of the region that was created anew')
    .requiredOption('--why <reason>', '原因，写入审计 · why; stands in the audit')
    .option('--region <region>', '来源地；写了主题则可不写 · the origin; a topic names it already')
    .option('--yes', '不询问 · ask nothing')
    .action(cli.action(async ({ settings, out }, [topic], options) => {
      const known = settings()
      const full = topic === undefined || topic.startsWith(known.topicPrefix) ? topic ?? null : known.topicPrefix + topic
      const named = options['region'] as string | undefined ?? full?.slice(known.topicPrefix.length).split('.')[0]
      if (named === undefined) throw new CliFailure(EXIT.validation, '请指定主题或地区（--region）。', `Name a topic, or a region with --region (${REGIONS.join(', ')}).`)
      const region = toRegion(named)
      await using opened = openReplicas(known)
      const origin = opened.replicas.find((one) => one.region === region)
      if (origin === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的数据库；请在来源地运行。`, `The database of ${region} is not known here: run this at the origin.`)
      out.note('将把本地区现行记录（含已终结的存根）重新放入发件箱。之后各地、包括来源地，运行 hub rebuild', 'Every current record of the region, stubs included, goes into the outbox once more. Then "hub rebuild" in every region, the origin among them')
      if (options['yes'] !== true && !await confirmed(cli, out, '重新发布？', 'Publish again?')) {
        out.note('未做任何改动（用 --yes 可不询问）', 'Nothing was done (--yes asks nothing)')
        return EXIT.validation
      }
      const outcome = await ask<{ partitions: Partition[], refused: string[] }, Record<string, { published: number }>>(
        origin, { table: 'relay_request', service: 'relay', columns: { kind: 'republish', topic: full }, deadlineMs: DEADLINE_MS }, options['why'] as string,
        (progress) => out.progress(both('重新发布', 'publishing again'), Object.values(progress ?? {}).reduce((sum, { published }) => sum + published, 0)))
      out.progress()
      out.result({ region, ...outcome }, () => describe(outcome))
      return outcome.refused.length > 0 || outcome.partitions.some(({ lost }) => lost > 0) ? EXIT.runtime : EXIT.ok
    }))
}

function describe({ partitions, refused }: { partitions: Partition[], refused: string[] }): string {
  if (partitions.length === 0 && refused.length === 0) return both('没有被重建的主题，无须重新发布', 'no topic was created anew: there is nothing to publish again')
  const lost = partitions.flatMap(({ place, lost, records }) => (lost === 0 ? [] : [`${place}: ${lost}  ${records.join(' ')}`]))
  return [
    ...(partitions.length === 0 ? [] : [table(['分区 partition', '重新发布 published', '本就待发 waiting anyway', '已丢失 lost'], partitions.map(({ place, published, waiting, lost }) => [place, published, waiting, lost]))]),
    ...(lost.length === 0 ? [] : [both('以下版本只在旧日志上，须由来源系统重新报送：', 'these versions were on the old log alone; their source systems send them again:'), ...lost]),
    ...refused,
  ].join('\n')
}
