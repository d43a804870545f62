import type { Edition } from '@hub/announcer/edition/model'
import { REGIONS } from '@hub/schemas/streams'
import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { publishDemo } from '../announcement-demo.ts'
import { describe, describeEdition, describeRises, STATUS } from '../announcement-text.ts'
import { type AnnouncementState, announcementPath as pathOf, announcerRegion as regionOf, askAnnouncer, type Rise } from '../announcer-client.ts'
import type { Cli, Context } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { type KeyRole, regionsWith, toRegion } from '../settings.ts'
import { addAnnouncementFiles } from './announcement-files.ts'

/** `hub announcement`: the joint announcements of the four regions. */
export function addAnnouncement(program: Command, cli: Cli): void {
  const announcement = program.command('announcement').description(both('联合公示', 'joint announcements'))
  const command = (name: string, zh: string, en: string): Command => cli.command(announcement, name, zh, en)
  const one = (made: Command): Command => made.argument('<campaign>', '公示项目 · 315, 315-week, spring-festival, may-day, national-day').argument('<year>', '年度 · year')
    .option('--region <region>', '以哪个地区；不写则为已知的第一个（run 为全部） · as this region; else the first that is known, for `run` all')

  command('list', '公示日历：窗口、截数、发布与进度', 'the calendar: window, cut, publication, progress')
    .option('--region <region>', '哪个地区 · as this region')
    .option('--all', '含已过时间而未办的 · also those whose time has passed without one')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const { announcements } = await askAnnouncer<{ announcements: AnnouncementState[] }>(settings(), regionOf(settings(), options), 'officer', 'GET', '/v1/desk/announcements')
      const shown = options['all'] === true ? announcements : announcements.filter(({ status }) => status !== 'past')
      out.result(shown, () => table(['项目 campaign', '年 year', '窗口 window', '截数 cut', '状态 status', '版次 editions'], shown.map(({ campaign, year, plan, status, editions }) =>
        [campaign, String(year), `${plan.window.from} – ${plan.window.to}`, plan.cut.slice(0, 10), `${STATUS[status] ?? ''} ${status}`, editions.length])))
    }))

  one(command('show', '一项公示在本地区的进度：缺谁、等谁', 'where one stands: who is missing, who is to act'))
    .action(cli.action((context, args, options) => act(context, args, options, 'officer', 'GET', '')))

  one(command('run', '截数时间已过而未开始的，立即开始；--demo 用本地演示审核人直至发布', 'take one up now whose cut has passed; --demo approves as the local run\'s own approvers until it is published'))
    .option('--demo', '演示，所有版式均标明 · a demonstration, marked as one everywhere')
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const known = settings()
      const regions = options['region'] === undefined ? regionsWith(known, 'announcer').map(({ region }) => region) : [toRegion(options['region'] as string)]
      const demo = options['demo'] === true
      const states = await Promise.all(regions.map((region) => askAnnouncer<AnnouncementState>(known, region, 'officer', 'POST', `${pathOf(campaign, year)}/run`, { demo })))
      if (!demo) return out.result(states[0], () => describe(states[0]!))
      const published = await publishDemo(known, regions, pathOf(campaign, year), out)
      const file = await askAnnouncer<Edition>(known, regions[0]!, 'officer', 'GET', `/v1/announcements/${campaign}/${year}`)
      out.result({ state: published, edition: file }, () => describeEdition(file))
      return file.recomputed.length === REGIONS.length ? EXIT.ok : EXIT.runtime
    }))

  one(command('approve', '审核通过；须两人，各用自己的密钥', 'approve; two people, each with a key of their own'))
    .option('--second', '本地运行的第二审核人 · as the local run\'s second approver')
    .action(cli.action((context, args, options) => act(context, args, options, options['second'] === true ? 'approver2' : 'approver', 'POST', '/approvals', {})))

  one(command('reject', '退回，写明理由', 'reject, with a reason')).requiredOption('--why <reason>', '理由，四地可见 · why; the four regions see it')
    .action(cli.action((context, args, options) => act(context, args, options, 'approver', 'POST', '/rejections', { reason: options['why'] as string })))

  one(command('rises', '与上年同期可比日相比明显上升的类别，及提示草稿', 'classes that rose by more than chance, each with the beginning of a tip'))
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const { rises } = await askAnnouncer<{ rises: Rise[] }>(settings(), regionOf(settings(), options), 'officer', 'GET', `${pathOf(campaign, year)}/rises`)
      out.result(rises, () => describeRises(rises))
    }))

  one(command('tips', '写消费提示（由起草地区），代替原有各条；改动后各地须重新审核', 'write the tips, where it was drafted, in the place of all before; the regions approve anew'))
    .option('--tip <text>', '一条提示，可重复；不写则清空 · a tip, may be repeated; none = no tips', (text: string, before: string[]) => [...before, text], [])
    .action(cli.action((context, args, options) => act(context, args, options, 'officer', 'PUT', '/tips', { tips: (options['tip'] as string[]).map((zh) => ({ zh })) })))

  one(command('correct', '更正本地区截数中的一条投诉：经营者有误，或记录已撤销；随后各地签署更正版', 'put right a complaint in this region\'s first copy: a wrong trader, or a voided record; an erratum edition follows'))
    .option('--wrong-trader <recordId>', '经营者有误、已发布更正的投诉 · a complaint whose trader was wrong and has been corrected')
    .option('--voided <recordId>', '已撤销的投诉，须附 --event · a complaint that is void; with --event')
    .option('--event <file>', '该投诉截数时的记录（JSON），- 为标准输入 · the record as it was at the cut, JSON; - = standard input')
    .action(cli.action(async (context, args, options) => act(context, args, options, 'approver', 'POST', '/corrections', { corrections: [await correctionOf(cli, options)] })))

  one(command('retract', '撤回已发布的公示；撤回为新的一版，须四地签署', 'take a published one back: an edition of its own, which all sign')).requiredOption('--why <reason>', '理由，四地可见 · why; the four regions see it')
    .action(cli.action((context, args, options) => act(context, args, options, 'approver', 'POST', '/retractions', { reason: options['why'] as string })))

  addAnnouncementFiles(command, one, cli)
}

/** Asks about one announcement, or does something to it, and shows where it stands then. */
async function act({ settings, out }: Context, [campaign, year]: readonly string[], options: Record<string, unknown>, role: KeyRole, method: 'GET' | 'POST' | 'PUT', action: string, body?: object): Promise<void> {
  const state = await askAnnouncer<AnnouncementState>(settings(), regionOf(settings(), options), role, method, pathOf(campaign, year) + action, body)
  out.result(state, () => describe(state))
}

async function correctionOf(cli: Cli, { wrongTrader, voided, event }: { readonly wrongTrader?: string; readonly voided?: string; readonly event?: string }): Promise<object> {
  if ((wrongTrader === undefined) === (voided === undefined) || (voided === undefined) !== (event === undefined)) {
    throw new CliFailure(EXIT.validation, '请写 --wrong-trader <记录号>，或 --voided <记录号> 并以 --event 附上截数时的记录。', 'Give --wrong-trader <recordId>, or --voided <recordId> with --event.')
  }
  if (voided === undefined) return { reason: 'wrong-trader', recordId: wrongTrader }
  const text = event === '-' ? (await Array.fromAsync(cli.stdin)).join('') : await readFile(event!, 'utf8').catch((error: unknown) => { throw new CliFailure(EXIT.validation, `读不到 ${event}。`, `${event} cannot be read.`, { cause: error }) })
  try {
    return { reason: 'voided', recordId: voided, event: JSON.parse(text) as object }
  } catch (error) {
    throw new CliFailure(EXIT.validation, `${event} 不是 JSON。`, `${event} is not JSON.`, { cause: error })
  }
}
