import type { Text } from '@hub/schemas/codes'

/** To be printed with the figures. */
export const FIGURE_CAVEATS: readonly Text[] = [
  ['投诉数量受市场规模、人口和消费习惯影响，地区之间不宜直接比较优劣。', 'Numbers of complaints follow the size of markets, population and habits: they do not rank regions.'],
  ['数字为截数时的状态，其后的办理进展不再改动本公示；仅在确有差错时发布更正。', 'Figures are as of the cut; what is handled later does not change them. A correction is published for errors alone.'],
  ['缺失的地区或未公布的数字不以零计。', 'A missing region, or a number that is withheld, is not zero.'],
]

/** To be printed with every list of traders (domain 3.4). */
export const TRADER_CAVEATS: readonly Text[] = [
  ['投诉信息公示不是“黑名单”。', 'Publishing complaints is not a blacklist.'],
  ['投诉数量不等同于商品或服务质量。', 'The number of complaints is not the quality of goods or services.'],
  ['市场份额较大的经营者，消费纠纷通常也较多。', 'A trader with a large share of the market has more disputes.'],
  ['请一并关注经营者处理投诉的态度与调解成功率。', 'Look at how a trader answers complaints, and at how many are settled.'],
  ['投诉内容为当事人单方陈述。', 'What a complaint says is the statement of one party.'],
  ['调解结果不是对违法行为的认定。', 'The result of a mediation is no finding of a violation.'],
  ['达成调解协议不等于已经退款或者已履行。', 'An agreement is no proof of a refund.'],
]
