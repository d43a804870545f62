import type { Removal } from '../compose/listing.ts'

/** Why listings end, by the words that removal notices use; the first that fits. */
const GROUNDS: readonly (readonly [words: RegExp, ground: string, path: Removal['path']])[] = [
  [/注销/, 'deregistered', 'deregistered'],
  [/信用修复|提前移出/, 'early_repair', 'repair'],
  [/更正其?公示|第八条规定被列入|公示有关企业信息|履行公示义务/, 'info_published', 'fulfilled'],
  [/重新取得联系|变更登记|变更登记住所|住所或者经营场所变更/, 'contact_regained', 'fulfilled'],
  [/年度报告/, 'annual_report', 'fulfilled'],
]

/** Ground and path of a removal; a sole trader's mark is lifted, whatever is said. */
export function removalGround(text: string | undefined, listType: string): { ground: string, path: Removal['path'] } {
  const found = GROUNDS.find(([words]) => text !== undefined && words.test(text))
  if (found !== undefined) return { ground: found[1], path: found[2] }
  return listType === 'sole-trader-mark' ? { ground: 'recovered', path: 'recovered' } : { ground: 'other', path: 'fulfilled' }
}
