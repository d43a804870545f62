import type { Definition, DefinitionRef } from './model.ts'

/**
 * What every published number means; the only place that says so. A change of meaning, however small, is a new version: figures of different
 * definitions or versions are never added or compared (`series.ts`).
 */
export const DEFINITIONS = {
  received: define('received', 1, ['接收投诉', 'Complaints received'],
    ['登记日期（北京时间）在统计窗口内的投诉，不论办理状态；自始无效（撤销）的记录不计。举报、咨询另计。', 'Complaints registered on a day of the window (Asia/Shanghai), whatever their state; voided records do not count. Reports and consultations are apart.']),
  counted: define('counted', 1, ['计入投诉', 'Complaints counted'],
    ['接收投诉中，截数时已作出受理或不予受理决定的；待受理和已移送的不计。计入＝受理＋不予受理。', 'Of those received, the ones accepted or refused at the cut; pending and transferred ones are not in it. Counted = accepted + refused.']),
  accepted: define('accepted', 1, ['受理量', 'Complaints accepted'],
    ['计入投诉减去不予受理。', 'Counted less refused.']),
  refused: define('refused', 1, ['不予受理', 'Complaints refused'],
    ['截数时状态为不予受理的投诉。', 'Complaints refused at the cut.']),
  pending: define('pending', 1, ['待受理', 'Complaints pending'],
    ['截数时尚未决定是否受理的投诉。', 'Complaints neither accepted nor refused at the cut.']),
  transferred: define('transferred', 1, ['已移送', 'Complaints transferred'],
    ['截数时已移送其他机关处理的投诉，由接收机关另行登记，不计入受理量。', 'Complaints handed to another authority at the cut; that authority registers them itself.']),
  reports: define('reports', 1, ['举报', 'Reports'],
    ['统计窗口内登记的举报，按日汇总报送，不含个案信息。', 'Reports registered in the window, exchanged as daily counts without any case.']),
  consultations: define('consultations', 1, ['咨询', 'Consultations'],
    ['统计窗口内解答的咨询，按日汇总报送。', 'Consultations answered in the window, exchanged as daily counts.']),
  'online-share': define('online-share', 1, ['网购投诉占比', 'Share bought on the web'],
    ['计入投诉中标明网络购买的件数与标明是否网络购买的件数之比；未标明的单列，不计入分母。', 'Counted complaints bought on the web, of those that say whether they were; the others stand apart and are not in the denominator.']),
  goods: define('goods', 1, ['商品类投诉', 'Complaints about goods'],
    ['计入投诉中消费客体为商品的，按全国分类；本地分类无对应全国分类的列为未分类。', 'Counted complaints about goods, by national class; those whose local class has none are unclassified.']),
  services: define('services', 1, ['服务类投诉', 'Complaints about services'],
    ['计入投诉中消费客体为服务的，按全国分类；本地分类无对应全国分类的列为未分类。', 'Counted complaints about services, by national class; those whose local class has none are unclassified.']),
  issues: define('issues', 1, ['投诉问题', 'Issues'],
    ['计入投诉按投诉问题的全国分类；本地分类无对应全国分类的列为未分类。', 'Counted complaints by national class of the issue; those whose local class has none are unclassified.']),
  'success-rate': define('success-rate', 1, ['调解成功率', 'Success of mediation'],
    ['统计窗口内受理的投诉中，调解成功÷（调解成功＋终止调解）。半数以上仍在办理时不公布。', 'Of the complaints of the window that were accepted: settled ÷ (settled + terminated). Withheld while more than half is open.']),
  'open-share': define('open-share', 1, ['在办占比', 'Share still open'],
    ['统计窗口内受理的投诉中，截数时状态为已受理或调解中且尚无调解结果的占比。', 'Of the complaints of the window that were accepted: those accepted or in mediation without an outcome at the cut.']),
  recovered: define('recovered', 1, ['挽回经济损失', 'Amount recovered'],
    ['统计窗口内计入投诉为消费者挽回的金额之和，精确到分。半数以上仍在办理时不公布。', 'Sum recovered for consumers in the counted complaints of the window, exact to the fen. Withheld while more than half is open.']),
  'year-on-year': define('year-on-year', 1, ['同比', 'Year on year'],
    ['只比较两年统计窗口都有的日子：春节按距正月初一的天数对应，其余按月日对应。上年同期未有数据的，记为无可比数据。', 'Over the days that both windows have: by distance to lunar day 1 at Spring Festival, else by month and day. Without data of the year before there is nothing to compare.']),
  traders: define('traders', 1, ['被投诉经营者', 'Traders complained of'],
    ['截数前十二个月内受理投诉达到列示下限的企业，四地合并，按受理量排列。经核查的被投诉经营者优先于消费者反映的；按统一社会信用代码归并，名称取截数时使用最多的。投诉量＝受理量＋不予受理；调解成功率＝调解成功÷（调解成功＋终止调解）。自然人、个体工商户和公示期满、撤回的记录不列名，只计入合计。', 'Firms with at least the stated number of accepted complaints in the twelve months to the cut, the regions together. The verified respondent before the reported one, by credit code, under the name most used at the cut. Persons, sole traders and records whose publication has ended are not named.']),
  'complaints-and-reports': define('complaints-and-reports', 1, ['投诉举报（未分列）', 'Complaints and reports, undivided'],
    ['投诉与举报合并计数，见于2020至2023年的公示；与现行投诉、举报分列口径不可比。', 'Complaints and reports counted together, as the bulletins of 2020 to 2023 did; not comparable with figures that tell them apart.']),
  'epidemic-related': define('epidemic-related', 1, ['疫情相关投诉举报', 'Complaints and reports about the epidemic'],
    ['2020年春节公示所列，为同期投诉举报的子集，不另行相加。', 'As printed at Spring Festival 2020; part of the complaints and reports of the time, not added to them.']),
} as const satisfies Readonly<Record<string, Definition>>

export type DefinitionId = keyof typeof DEFINITIONS

function define(id: string, version: number, name: Definition['name'], text: Definition['text']): Definition {
  return { id, version, name, text }
}

export function refOf(id: DefinitionId): DefinitionRef {
  return `${id}@${DEFINITIONS[id].version}`
}

/** The definition that a figure names. @throws RangeError when there is none, or none of this version */
export function definitionOf(ref: DefinitionRef): Definition {
  const definition = (DEFINITIONS as Readonly<Record<string, Definition>>)[ref.slice(0, ref.lastIndexOf('@'))]
  if (definition === undefined || `${definition.id}@${definition.version}` !== ref) throw new RangeError(`no figure is defined as ${ref}`)
  return definition
}
