import type { CreditSubscriber } from '@hub/client'
import type { Region } from '@hub/schemas/streams'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { creditClientOf, regionsWith, toRegion } from '../settings.ts'

/** `hub credit`: who follows the credit lookup. */
export function addCredit(program: Command, cli: Cli): void {
  const credit = program.command('credit').description(both('信用查询', 'the credit lookup'))

  cli.command(credit, 'subscribers', '谁保存着信用查询的副本，谁还没有停用应停用的记录', 'who keeps copies, and who has not yet stopped using what ended')
    .option('--region <region>', '只看一个地区 · one region alone')
    .option('--name <name>', '与 --forget 合用：订阅名称 · with --forget: name of the subscription', 'main')
    .option('--forget <caller>', '删除一个不再使用的订阅 · forget one that is no longer used')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const known = settings()
      const regions = options['region'] === undefined ? regionsWith(known, 'lookup').map(({ region }) => region) : [toRegion(options['region'] as string)]
      const { forget, name } = options as { forget?: string, name: string }
      if (forget !== undefined) await Promise.all(regions.map((region) => creditClientOf(known, region, 'operator').forgetSubscriber(forget, name)))
      const found = await Promise.all(regions.map(async (region) => ({ region, subscribers: await creditClientOf(known, region, 'operator').subscribers() })))
      out.result(found, () => describe(found))
      return found.some(({ subscribers }) => subscribers.some(waits)) ? EXIT.runtime : EXIT.ok
    }))
}

function waits({ notStopped: { records, complete } }: CreditSubscriber): boolean {
  return records > 0 || !complete
}

function describe(found: readonly { region: Region, subscribers: readonly CreditSubscriber[] }[]): string {
  const rows = found.flatMap(({ region, subscribers }) => subscribers.map((one) => {
    const { records, since, complete } = one.notStopped
    return [region, one.caller, one.name, one.connected ? both('是', 'yes') : one.lastSeen, one.acknowledgedAt ?? '–', complete ? String(records) : `≥ ${records}`, waits(one) ? since ?? both('已久', 'long ago') : '–']
  }))
  if (rows.length === 0) return both('没有订阅', 'nobody follows')
  return table(['地区 region', '调用方 caller', '订阅 name', '连接或最近 connected, last seen', '最近确认 acknowledged', '未停用 not stopped', '自 since'], rows)
}
