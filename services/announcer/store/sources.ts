import type { DbClient } from '@hub/runtime/db'
import type { CutSourceAtCut } from '@hub/schemas/generated/cut'

/** The declared sources of complaints and tallies of this region, with their last complete hand-overs as the gateway has committed them. */
export async function readOwnSources(c: DbClient): Promise<CutSourceAtCut[]> {
  const { rows } = await c.query<{ source: string; owner: string; baseline: boolean; at: Date | null }>(
    `SELECT s.id AS source, s.declaration->>'owner' AS owner, s.baseline_complete_at IS NOT NULL AS baseline, h.at
       FROM declared_source s LEFT JOIN hand_over h ON h.source = s.id AND h.id = s.last_hand_over
      WHERE s.declared AND s.declaration->'streams' ?| ARRAY['complaint', 'tally'] ORDER BY s.id`)
  return rows.map(({ source, owner, baseline, at }) => ({ sourceSystem: source, owner, baselineComplete: baseline, lastHandOverAt: at === null ? null : at.getTime() }))
}
