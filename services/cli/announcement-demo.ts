import { setTimeout as pause } from 'node:timers/promises'
import type { Region } from '@hub/schemas/streams'
import { describe } from './announcement-text.ts'
import { type AnnouncementState, askAnnouncer } from './announcer-client.ts'
import { CliFailure, EXIT } from './failure.ts'
import type { Output } from './output.ts'
import type { Settings } from './settings.ts'

const LOOK_MS = 300
const DEADLINE_MS = 120_000

/** Waits for the signatures, approves as both approvers of each region, waits for the file. */
export async function publishDemo(settings: Settings, regions: readonly Region[], path: string, out: Output): Promise<AnnouncementState> {
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
