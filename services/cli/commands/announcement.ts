import { verifyEdition, type Verified } from '@hub/announcer/edition/verify'
import type { Edition } from '@hub/announcer/edition/model'
import { type PublicKeys, readPublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type AnnouncementState, askAnnouncer } from '../announcer-client.ts'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, type Output, table } from '../output.ts'
import { regionsWith, type Settings, toRegion } from '../settings.ts'

const LOOK_MS = 300
const DEADLINE_MS = 120_000

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
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const state = await askAnnouncer<AnnouncementState>(settings(), regionOf(settings(), options), 'officer', 'GET', pathOf(campaign, year))
      out.result(state, () => describe(state))
    }))

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
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const state = await askAnnouncer<AnnouncementState>(settings(), regionOf(settings(), options), options['second'] === true ? 'approver2' : 'approver', 'POST', `${pathOf(campaign, year)}/approvals`, {})
      out.result(state, () => describe(state))
    }))

  one(command('reject', '退回，写明理由', 'reject, with a reason')).requiredOption('--why <reason>', '理由，四地可见 · why; the four regions see it')
    .action(cli.action(async ({ settings, out }, [campaign, year], options) => {
      const state = await askAnnouncer<AnnouncementState>(settings(), regionOf(settings(), options), 'approver', 'POST', `${pathOf(campaign, year)}/rejections`, { reason: options['why'] as string })
      out.result(state, () => describe(state))
    }))

  command('verify', '核验公示文件：签名在任何地方，数字凭一个副本', 'verify a published file: the signatures anywhere, the figures by a replica')
    .argument('<file>', '公示文件（JSON） · the file')
    .option('--keys <folder>', '各地区公钥所在目录（<地区>/keys.yaml） · folder of the regions\' public keys')
    .option('--region <region>', '由此地区的副本复算 · have the replica of this region recompute the figures')
    .action(cli.action(async ({ settings, out }, [file], options) => {
      const bytes = await readFile(file!).catch((error: unknown) => { throw new CliFailure(EXIT.validation, `读不到 ${file}。`, `${file} cannot be read.`, { cause: error }) })
      const verified = verifyEdition(bytes, await keysIn((options['keys'] as string | undefined) ?? settings().publicKeysDir!))
      const figures = verified.edition === null || options['region'] === undefined ? undefined : await recomputed(settings(), toRegion(options['region'] as string), verified.edition)
      out.result({ valid: verified.valid, problems: verified.problems, struck: verified.struck, figures }, () => describeVerified(verified, figures))
      return verified.valid && figures?.same !== false ? EXIT.ok : EXIT.runtime
    }))
}

/** What a replica gives for an edition: the same figures, others, or that it can no longer say. */
interface Recomputation {
  readonly recomputable: boolean
  readonly same: boolean | null
  readonly changes: readonly unknown[]
}

async function recomputed(settings: Settings, region: Region, { statement }: Edition): Promise<Recomputation> {
  return askAnnouncer<Recomputation>(settings, region, 'officer', 'POST', `${pathOf(statement.campaign, String(statement.year))}/recomputations`, { edition: statement.edition })
}

/** Waits for the signatures, approves as both approvers of each region, waits for the file. */
async function publishDemo(settings: Settings, regions: readonly Region[], path: string, out: Output): Promise<AnnouncementState> {
  const state = (region: Region): Promise<AnnouncementState> => askAnnouncer<AnnouncementState>(settings, region, 'officer', 'GET', path)
  out.note('等待四地复算签署', 'waiting for the four regions to recompute and sign')
  for (const region of regions) {
    const seen = await until(() => state(region), (now) => now.status === 'published' || now.draft?.regions[region].recomputed != null)
    if (seen.status === 'published' || seen.draft!.regions[region].approved !== null) continue
    for (const role of ['approver', 'approver2'] as const) {
      await askAnnouncer(settings, region, role, 'POST', `${path}/approvals`, {}).catch((error: unknown) => {
        // A demo that was run before has been approved by this one.
        if (!(error instanceof CliFailure) || !error.zh.includes('NEEDS_ANOTHER')) throw error
      })
    }
  }
  const done = await Promise.all(regions.map((region) => until(() => state(region), ({ status }) => status === 'published')))
  return done[0]!
}

async function until(look: () => Promise<AnnouncementState>, passes: (state: AnnouncementState) => boolean): Promise<AnnouncementState> {
  for (const began = performance.now(); ;) {
    const state = await look()
    if (passes(state)) return state
    if (performance.now() - began > DEADLINE_MS) throw new CliFailure(EXIT.runtime, `${DEADLINE_MS / 1000} 秒后仍未完成：${describe(state)}`, `Not done in ${DEADLINE_MS / 1000} s.`)
    await pause(LOOK_MS)
  }
}

function regionOf(settings: Settings, options: Record<string, unknown>): Region {
  return options['region'] === undefined ? regionsWith(settings, 'announcer')[0]!.region : toRegion(options['region'] as string)
}

function pathOf(campaign: string | undefined, year: string | undefined): string {
  if (!/^[a-z0-9-]+$/.test(campaign ?? '') || !/^\d{4}$/.test(year ?? '')) throw new CliFailure(EXIT.validation, '请写明公示项目和四位年度，如 spring-festival 2026。', 'Name the campaign and the year, such as spring-festival 2026.')
  return `/v1/desk/announcements/${campaign}/${year}`
}

async function keysIn(folder: string): Promise<Partial<Record<Region, PublicKeys>>> {
  const found = await Promise.all(REGIONS.map(async (region) => readPublicKeys(join(folder, region, 'keys.yaml')).then((keys) => [[region, keys] as const], () => [])))
  return Object.fromEntries(found.flat())
}

const STATUS: Readonly<Record<string, string>> = {
  planned: '未到', past: '已过未办', cutting: '截数中', drafting: '待起草', signing: '复算中', approving: '待审核', held: '暂缓', published: '已发布', retracted: '已撤回',
}

function describe({ name, year, status, plan, regions, draft, scrub, editions }: AnnouncementState): string {
  const rows = REGIONS.map((region) => {
    const { cut, of, text } = regions[region]
    const acts = draft?.regions[region]
    const dissent = acts?.dissent
    return [
      region, `${cut}/${of}`, text === null ? both('完整', 'complete') : text[0], acts?.missing === true ? both('不在本版', 'not in it') : acts?.recomputed ?? (dissent == null ? null : `${dissent.why.split(' · ')[0]} ${[...dissent.records, ...dissent.disagreements.map((one) => one.text[0])].slice(0, 3).join('；')}`),
      acts?.approved ?? acts?.rejected ?? acts?.fault ?? null,
    ]
  })
  return [
    `${name[0]} ${year}  ${STATUS[status] ?? ''} ${status}  ${plan.window.from} – ${plan.window.to}  ${both('截数', 'cut')} ${plan.cut}`,
    table(['地区 region', '截数 cut', '完整性 completeness', '复算 recomputed', '审核 approved'], rows),
    ...(scrub === null ? [] : [both(`本地副本核对 ${scrub.rows} 行，${scrub.ms} ms`, `this replica's pass: ${scrub.rows} rows, ${scrub.ms} ms`)]),
    ...editions.map((one) => `${one.edition}  ${one.kind}  ${one.title}  ${one.publishedAt}`),
  ].join('\n')
}

const ROWS: Readonly<Record<string, string>> = {
  received: '登记', counted: '计入', accepted: '受理', refused: '不予受理', pending: '待受理', transferred: '移送', reports: '举报', consultations: '咨询',
}

function describeEdition({ statement, annex, digests, recomputed, approved }: Edition): string {
  const { figures, title, plan, demo } = statement
  return [
    `${demo ? '【演示数据】' : ''}${title[0]}  ${plan.window.from} – ${plan.window.to}`,
    ...(figures === null ? [] : [table(['指标 figure', ...REGIONS, '合计 total'], [
      ...figures.counts.map(({ definition, counts }) => [`${ROWS[definition.split('@')[0]!] ?? ''} ${definition}`, ...REGIONS.map((region) => counts[region]), counts.total]),
      ['调解成功率 success', ...REGIONS.map((region) => ratio(figures.mediation.values[region]?.success)), ratio(figures.mediation.values.total.success)],
      ['挽回（元） recovered', ...REGIONS.map((region) => yuan(figures.mediation.values[region]?.recoveredFen)), yuan(figures.mediation.values.total.recoveredFen)],
    ])]),
    both(`列名经营者 ${annex.rows.length}`, `traders listed ${annex.rows.length}`),
    `${both('签署', 'signed')}: ${recomputed.map(({ region }) => region).join(' ')}    ${both('审核', 'approved')}: ${approved.map(({ region }) => region).join(' ')}    ${both('摘要', 'digest')} ${digests.aggregates.slice(0, 16)}`,
  ].join('\n')
}

function ratio(value: { readonly numerator: number; readonly denominator: number } | null | undefined): string | null {
  return value == null ? null : `${value.numerator}/${value.denominator}`
}

function yuan(fen: string | null | undefined): string | null {
  return fen == null ? null : (Number(fen) / 100).toFixed(2)
}

function describeVerified({ valid, problems, edition, struck }: Verified, figures: Recomputation | undefined): string {
  return [
    ...(edition === null ? [] : [`${edition.statement.title[0]}  ${edition.digests.aggregates.slice(0, 16)}`]),
    valid ? both('核验通过：内容与各地区签名一致', 'verified: it is what the regions signed') : both('核验不通过', 'not verified'),
    ...problems.map(({ text }) => `  ${both(text[0], text[1])}`),
    ...(struck === 0 ? [] : [both(`${struck} 个名称公示期满，已移除；签名仍然有效`, `${struck} names were struck at the end of their term; the signatures hold`)]),
    ...(figures === undefined ? [] : [!figures.recomputable ? both('该副本已不能复算', 'no longer recomputable here') : figures.same === true ? both('该副本复算一致', 'the replica gives the same figures') : both(`该副本复算不同：${figures.changes.length} 处`, `the replica gives other figures: ${figures.changes.length}`)]),
  ].join('\n')
}
