import type { Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'
import { campaignName, type CampaignId } from '../campaigns.ts'
import { regionName } from '../region-name.ts'
import type { EditionKind } from './model.ts'

/** The title says which region is missing, and that an edition corrects or takes back another. */
export function titleOf({ campaign, year, edition, kind, missing }: { campaign: CampaignId, year: number, edition: number, kind: EditionKind, missing: readonly Region[] }): Text {
  const [zh, en] = campaignName(campaign)
  const names = missing.map(regionName)
  const without = names.length === 0 ? ['', ''] : [`（未含${names.map(([name]) => name).join('、')}）`, ` (without ${names.map(([, name]) => name).join(', ')})`]
  const kinds: Readonly<Record<EditionKind, Text>> = {
    full: ['', ''], partial: ['', ''],
    erratum: [`（第${edition}版，更正）`, ` (edition ${edition}, corrected)`], retracted: [`（第${edition}版，撤回）`, ` (edition ${edition}, retracted)`],
  }
  return [`${year}年${zh}长三角消费投诉信息公示${without[0]}${kinds[kind][0]}`, `Consumer complaints in the Yangtze Delta, ${en} ${year}${without[1]}${kinds[kind][1]}`]
}
