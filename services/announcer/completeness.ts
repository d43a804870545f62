import type { Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'
import { addDays } from './calendar/day.ts'
import type { RegionStanding, SourceStanding } from './edition/model.ts'
import type { Window } from './figures/model.ts'
import { regionName } from './region-name.ts'

/** A source of complaints or tallies as a cut marker of its region states it. */
export interface SourceAtCut {
  readonly source: string
  readonly owner: string
  /** Its first complete load was handed over. */
  readonly baselineComplete: boolean
  /** Its last complete hand-over, ms UTC; `null` = none yet. */
  readonly lastHandOver: number | null
}

/** What a region's markers say: whether every partition has one, and its sources by the newest of them. */
export interface RegionAtCut {
  readonly cut: boolean
  readonly sources: readonly SourceAtCut[]
}

/**
 * How complete a region's figures are. A source is complete when its first load is in and it handed over after the window had ended: what came
 * before cannot hold the last day. A region that declares no source cannot say that it is complete.
 */
export function standingOf({ cut, sources }: RegionAtCut, window: Window): RegionStanding {
  if (!cut) return { standing: 'missing', sources: [] }
  const ended = Date.parse(`${addDays(window.to, 1)}T00:00:00+08:00`)
  const standings = sources.map(({ source, owner, baselineComplete, lastHandOver }): SourceStanding => ({
    source,
    owner,
    complete: baselineComplete && lastHandOver !== null && lastHandOver >= ended,
    lastHandOver: baselineComplete && lastHandOver !== null ? shanghaiTime(lastHandOver) : null,
  })).sort((a, b) => (a.source < b.source ? -1 : 1))
  return { standing: standings.length > 0 && standings.every(({ complete }) => complete) ? 'complete' : 'incomplete', sources: standings }
}

/** A region's standing in words; `undefined` when it is complete. */
export function standingText(region: Region, { standing, sources }: RegionStanding): Text | undefined {
  const [zh, en] = regionName(region)
  if (standing === 'complete') return undefined
  if (standing === 'missing') return [`${zh}未能参加本次截数，其数字缺失，不以零计。`, `${en} was not cut: its figures are missing, which is not zero.`]
  const late = sources.filter(({ complete }) => !complete)
  if (late.length === 0) return [`${zh}未申报数据来源，不能确认是否完整。`, `${en} declares no source: whether its figures are complete is not known.`]
  const namesZh = late.map(({ source, owner, lastHandOver }) => `${source}（${owner}，${lastHandOver === null ? '尚无完整报送' : `最近完整报送于${minute(lastHandOver)}`}）`)
  const namesEn = late.map(({ source, owner, lastHandOver }) => `${source} (${owner}, ${lastHandOver === null ? 'no complete hand-over yet' : `last complete hand-over ${minute(lastHandOver)}`})`)
  return [`${zh}数据不完整：${namesZh.join('、')}在统计窗口结束后尚未完整报送。`, `${en} is incomplete: ${namesEn.join(', ')} did not hand over completely after the window had ended.`]
}

/** An instant as `2026-02-24T09:30:00+08:00`, whole seconds. */
export function shanghaiTime(instant: number): string {
  return `${new Date(instant + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}

function minute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ')
}
