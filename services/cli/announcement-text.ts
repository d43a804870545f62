import type { Edition } from '@hub/announcer/edition/model'
import type { Verified } from '@hub/announcer/edition/verify'
import { REGIONS } from '@hub/schemas/streams'
import type { AnnouncementState, Recomputation, Rise } from './announcer-client.ts'
import { both, table } from './output.ts'

export const STATUS: Readonly<Record<string, string>> = {
  planned: '未到', past: '已过未办', cutting: '截数中', drafting: '待起草', signing: '复算中', approving: '待审核', held: '暂缓', published: '已发布', retracted: '已撤回',
}

/** Where an announcement stands: each region, what it waits for, what is published. */
export function describe({ name, year, status, plan, regions, draft, scrub, editions }: AnnouncementState): string {
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

export function describeEdition({ statement, annex, digests, recomputed, approved }: Edition): string {
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

export function describeVerified({ valid, problems, edition, struck }: Verified, figures: Recomputation | undefined): string {
  return [
    ...(edition === null ? [] : [`${edition.statement.title[0]}  ${edition.digests.aggregates.slice(0, 16)}`]),
    valid ? both('核验通过：内容与各地区签名一致', 'verified: it is what the regions signed') : both('核验不通过', 'not verified'),
    ...problems.map(({ text }) => `  ${both(text[0], text[1])}`),
    ...(struck === 0 ? [] : [both(`${struck} 个名称公示期满，已移除；签名仍然有效`, `${struck} names were struck at the end of their term; the signatures hold`)]),
    ...(figures === undefined ? [] : [!figures.recomputable ? both('该副本已不能复算', 'no longer recomputable here') : figures.same === true ? both('该副本复算一致', 'the replica gives the same figures') : both(`该副本复算不同：${figures.changes.length} 处`, `the replica gives other figures: ${figures.changes.length}`)]),
  ].join('\n')
}

export function describeRises(rises: readonly Rise[]): string {
  if (rises.length === 0) return both('没有明显上升的类别，或没有上年同期数据', 'no class rose by more than chance, or there is nothing to compare with')
  return table(['类别 class', '本期 now', '上年 before', '提示草稿 draft of a tip'], rises.map(({ code, name, current, earlier, draft }) => [`${name[0]} ${code}`, current, earlier, draft[0]]))
}
