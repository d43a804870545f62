import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { confirmed } from '../confirm.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both } from '../output.ts'
import { openReplicas } from '../replicas.ts'
import { ask } from '../request.ts'
import { toRegion } from '../settings.ts'

const DEADLINE_MS = 6 * 3_600_000

interface Outcome { recovered: boolean, versions?: number, waiting?: number, displaced?: number, records?: { topic: string, recordId: string }[] }
type Progress = { partitions?: Record<string, { next: number, end: number }> }

/** `hub recover`: a region's database that was restored from a backup is brought up to the region's own logs, and publishing goes on. */
export function addRecover(program: Command, cli: Cli): void {
  cli.command(program, 'recover', '本地区数据库从备份恢复后，按自己的日志补齐，再恢复接收；写入审计', "after a region's database was restored from a backup: catch up with the region's own logs, then take events in again; audited")
    .requiredOption('--region <region>', '数据库被恢复的地区 · the region whose database was restored')
    .requiredOption('--why <reason>', '原因，写入审计 · why; stands in the audit')
    .option('--yes', '不询问 · ask nothing')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const region = toRegion(options['region'] as string)
      await using opened = openReplicas(settings())
      const origin = opened.replicas.find((one) => one.region === region)
      if (origin === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的数据库；请在该地区运行。`, `The database of ${region} is not known here: run this in that region.`)
      out.note('将按日志补齐已发布版本，从日志最高序号继续编号。确认现在连接的是要继续使用的数据库', "What the logs hold is taken over, and sequences go on from the highest on them. Be sure that this is the database that is to be used from now on")
      if (options['yes'] !== true && !await confirmed(cli, out, '继续？', 'Go on?')) {
        out.note('未做任何改动（用 --yes 可不询问）', 'Nothing was done (--yes asks nothing)')
        return EXIT.validation
      }
      const outcome = await ask<Outcome, Progress>(origin, { table: 'relay_request', service: 'relay', columns: { kind: 'recover' }, deadlineMs: DEADLINE_MS }, options['why'] as string, (progress) => {
        const each = Object.values(progress?.partitions ?? {})
        out.progress(both('按日志补齐', 'catching up with the logs'), each.reduce((sum, { next }) => sum + next, 0), each.reduce((sum, { end }) => sum + end, 0))
      })
      out.progress()
      out.result({ region, ...outcome }, () => describe(outcome))
      return (outcome.displaced ?? 0) > 0 ? EXIT.runtime : EXIT.ok
    }))
}

function describe({ recovered, versions = 0, waiting = 0, displaced = 0, records = [] }: Outcome): string {
  if (!recovered) return both('日志并不领先于本数据库，无须补齐', 'the logs are not ahead of this database: there is nothing to recover')
  return [
    both(`已按日志补齐 ${versions} 个版本；恢复后收下、尚待发送 ${waiting} 条`, `${versions} versions were taken over from the logs; ${waiting} events taken in since the restore wait to be sent`),
    ...(displaced === 0 ? [] : [
      both(`以下 ${displaced} 条在恢复后收下，而日志已有别的版本，须由来源系统重新报送：`, `${displaced} events were taken in since the restore where the log has other versions; their source systems send them again:`),
      ...records.map(({ topic, recordId }) => `  ${topic} ${recordId}`),
    ]),
    both('请来源系统重新报送备份之后的全部数据：已有的判为重复，无害', 'have the source systems send everything since the backup again: what is there already is a duplicate and does no harm'),
  ].join('\n')
}
