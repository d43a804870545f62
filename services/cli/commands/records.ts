import type { DataStream } from '@hub/schemas/streams'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { toJson } from '../output.ts'
import { clientOf, toRegion } from '../settings.ts'

export function addRecords(program: Command, cli: Cli): void {
  cli.command(program, 'records', '读取一条记录的当前版本', 'read the current version of a record')
    .argument('<recordId>', '记录编号 · record id')
    .requiredOption('--region <region>', '读取哪个地区的副本 · region whose replica is read')
    .requiredOption('--stream <stream>', '流 · stream')
    .action(cli.action(async ({ settings, out }, [recordId], options) => {
      const found = await clientOf(settings(), toRegion(options['region'] as string), 'reader').records(options['stream'] as DataStream, recordId ?? '')
      out.result(found, () => toJson(found))
    }))
}

export function addReceipt(program: Command, cli: Cli): void {
  cli.command(program, 'receipt', '查询事件回执：在日志中的位置和各地区的到达情况', 'where an event stands in the log and in which regions it has arrived')
    .argument('<eventId>', '事件编号 · event id')
    .requiredOption('--region <region>', '发布地区 · region that published it')
    .action(cli.action(async ({ settings, out }, [eventId], options) => {
      const receipt = await clientOf(settings(), toRegion(options['region'] as string), 'publisher').receipt(eventId ?? '')
      out.result(receipt, () => toJson(receipt))
    }))
}
