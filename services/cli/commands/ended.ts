import type { DataStream } from '@hub/schemas/streams'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { both, toJson } from '../output.ts'
import { clientOf, toRegion } from '../settings.ts'

/** `hub erase` and `hub archive`: of records that have ended, at the region that published them. */
export function addEnded(program: Command, cli: Cli): void {
  cli.command(program, 'erase', '清除一条记录：四地只留标识和日期，写入审计', 'erase a record of a region: identity and date stay in all four; audited')
    .argument('<recordId>', '记录编号 · record id')
    .requiredOption('--region <region>', '发布它的地区 · region that published it')
    .requiredOption('--stream <stream>', '流 · stream')
    .requiredOption('--why <reason>', '原因，写入审计，不得含个人信息 · why; stands in the audit, and names no person')
    .action(cli.action(async ({ settings, out }, [recordId], options) => {
      const erased = await clientOf(settings(), toRegion(options['region'] as string), 'operator').erase(options['stream'] as DataStream, recordId ?? '', options['why'] as string)
      out.result(erased, () => both(
        `${erased.duplicate ? '此前已清除' : '已清除'} ${erased.recordId}（事件 ${erased.eventId}）；日志至迟在 ${erased.logForgetsBy} 压缩掉早期版本。`,
        `${erased.recordId} ${erased.duplicate ? 'was erased before' : 'is erased'}; the log has compacted its earlier versions away by ${erased.logForgetsBy}.`,
      ))
    }))
  cli.command(program, 'archive', '查阅已终结记录的早期版本', 'earlier versions of a record that has ended, at the region that published it')
    .argument('<recordId>', '记录编号 · record id')
    .requiredOption('--region <region>', '发布它的地区 · region that published it')
    .requiredOption('--stream <stream>', '流 · stream')
    .action(cli.action(async ({ settings, out }, [recordId], options) => {
      const found = await clientOf(settings(), toRegion(options['region'] as string), 'officer').archive(options['stream'] as DataStream, recordId ?? '')
      out.result(found, () => toJson(found))
    }))
}
