import type { Region } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'
import { type KeyRole, regionSettings, regionsWith, type Settings, toRegion } from './settings.ts'

const TIMEOUT_MS = 60_000

/** A region's answer about an announcement, as far as `hub` shows it. */
export interface AnnouncementState {
  readonly campaign: string
  readonly year: number
  readonly name: readonly [zh: string, en: string]
  readonly status: string
  readonly demo: boolean
  readonly plan: { readonly window: { readonly from: string; readonly to: string }; readonly cut: string; readonly publishOn: string }
  readonly editions: readonly { readonly edition: number; readonly kind: string; readonly title: string; readonly publishedAt: string }[]
  readonly regions: Readonly<Record<Region, { readonly cut: number; readonly of: number; readonly completeness: { readonly standing: string }; readonly text: readonly [string, string] | null }>>
  readonly scrub: { readonly ms: number; readonly rows: number; readonly clean: boolean } | null
  readonly draft: {
    readonly edition: number
    readonly by: Region
    readonly regions: Readonly<Record<Region, {
      readonly missing: boolean; readonly recomputed: string | null; readonly approved: string | null; readonly rejected: string | null; readonly fault: string | null
      readonly dissent: { readonly why: string; readonly records: readonly string[]; readonly disagreements: readonly { readonly text: readonly [string, string] }[] } | null
    }>>
  } | null
}

/** What a replica gives for an edition: the same figures, others, or that it can no longer say. */
export interface Recomputation {
  readonly recomputable: boolean
  readonly same: boolean | null
  readonly changes: readonly unknown[]
}

/** A class with markedly more complaints than a year ago. */
export interface Rise {
  readonly code: string
  readonly name: readonly [zh: string, en: string]
  readonly current: number
  readonly earlier: number
  readonly draft: readonly [zh: string, en: string]
}

/** Asks a region's announcer as its caller of this role. @throws CliFailure with its problem's own words */
export async function askAnnouncer<T>(settings: Settings, region: Region, role: KeyRole, method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
  return await (await sendToAnnouncer(settings, region, role, method, path, body)).json() as T
}

/** A file that a region's announcer has. @throws CliFailure with its problem's own words */
export async function readFromAnnouncer(settings: Settings, region: Region, path: string): Promise<Buffer> {
  return Buffer.from(await (await sendToAnnouncer(settings, region, 'officer', 'GET', path)).arrayBuffer())
}

async function sendToAnnouncer(settings: Settings, region: Region, role: KeyRole, method: string, path: string, body?: object): Promise<Response> {
  const { announcer, keys } = regionSettings(settings, region)
  if (announcer === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的联合公示服务地址（HUB_ANNOUNCER_URL）。`, `The address of ${region}'s announcer is not known (HUB_ANNOUNCER_URL).`)
  const response = await fetch(announcer + path, {
    method, headers: { ...(keys[role] && { authorization: `Bearer ${keys[role]}` }), ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (response.ok) return response
  const { code = String(response.status), title = '', detail = '' } = problemOf(await response.text())
  const [zh = title, en = title] = title.split(' · ')
  throw new CliFailure(response.status >= 500 ? EXIT.environment : EXIT.runtime, `${region}：${zh}（${code}）${detail && ` ${detail}`}`, `${region}: ${en} (${code})`)
}

function problemOf(text: string): { code?: string; title?: string; detail?: string } {
  try {
    return JSON.parse(text) as { code?: string; title?: string; detail?: string }
  } catch {
    return {}
  }
}

/** The region that `--region` names, else the first that is known. */
export function announcerRegion(settings: Settings, options: Record<string, unknown>): Region {
  return options['region'] === undefined ? regionsWith(settings, 'announcer')[0]!.region : toRegion(options['region'] as string)
}

/** @throws CliFailure where they name no announcement */
export function announcementPath(campaign: string | undefined, year: string | undefined): string {
  if (!/^[a-z0-9-]+$/.test(campaign ?? '') || !/^\d{4}$/.test(year ?? '')) throw new CliFailure(EXIT.validation, '请写明公示项目和四位年度，如 spring-festival 2026。', 'Name the campaign and the year, such as spring-festival 2026.')
  return `/v1/desk/announcements/${campaign}/${year}`
}
