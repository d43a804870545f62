import type { AnnouncementState } from '@hub/announcer/desk'
import type { Keys } from '@hub/local/local-files'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'

/** What people of the regions do, through HTTP. */
export interface Desks {
  call(region: Region, who: keyof Keys, method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>
  state(region: Region): Promise<AnnouncementState>
  run(regions?: readonly Region[], demo?: boolean): Promise<void>
  approve(region: Region): Promise<void>
  /** Waits until a region's state passes. */
  until(what: string, region: Region, passes: (state: AnnouncementState) => boolean, deadlineMs?: number): Promise<AnnouncementState>
  /** The published file of each region. */
  file(region: Region, edition?: number): Promise<string | undefined>
}

export function openDesks(hub: Hub, campaign: string, year: number): Desks {
  const base = `/v1/desk/announcements/${campaign}/${year}`
  const desks: Desks = {
    async call(region, who, method, path, body) {
      const response = await fetch(hub.announcerUrl(region) + path, {
        method, headers: { authorization: `Bearer ${hub.keys[who]}`, ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(30_000),
      })
      return { status: response.status, body: await response.json() as Record<string, unknown> }
    },
    async state(region) {
      const { status, body } = await desks.call(region, 'officer', 'GET', base)
      if (status !== 200) throw new Error(JSON.stringify(body))
      return body as unknown as AnnouncementState
    },
    async run(regions = REGIONS, demo = false) {
      for (const region of regions) {
        const { status, body } = await desks.call(region, 'officer', 'POST', `${base}/run`, { demo })
        if (status !== 200) throw new Error(JSON.stringify(body))
      }
    },
    async approve(region) {
      for (const who of ['approver', 'approver2'] as const) {
        const { status, body } = await desks.call(region, who, 'POST', `${base}/approvals`, {})
        if (status !== 200) throw new Error(JSON.stringify(body))
      }
    },
    until: (what, region, passes, deadlineMs = 30_000) => eventually(`${region}: ${what}`, async () => {
      const state = await desks.state(region)
      return passes(state) ? state : undefined
    }, deadlineMs),
    async file(region, edition) {
      const response = await fetch(`${hub.announcerUrl(region)}/v1/announcements/${campaign}/${year}${edition === undefined ? '' : `?edition=${edition}`}`)
      return response.status === 200 ? response.text() : undefined
    },
  }
  return desks
}

/** All four have signed the draft. */
export function signedBy(state: AnnouncementState, regions: readonly Region[] = REGIONS): boolean {
  return state.draft !== null && regions.every((region) => state.draft!.regions[region].recomputed !== null)
}
