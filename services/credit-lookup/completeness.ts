import type { Region } from '@hub/schemas/streams'

/** A region's events are here this fast, or its silence says nothing; ms. */
export const TRANSPORT_BOUND_MS = 60_000
/** A source may miss one hand-over, not two. */
export const CADENCES = 2

/** What is known of one source of credit lists, from its region's `source-status`. */
export interface SourceFacts {
  readonly sourceSystem: string
  readonly cadenceSeconds: number
  /** Its first complete load has been handed over, and all of it is here. */
  readonly baselineComplete: boolean
  /** Its last complete hand-over of which all is here; ms UTC. */
  readonly lastHandOverAt: number | undefined
}

/** What is known of one region's credit lists. */
export interface RegionFacts {
  readonly region: Region
  /** Of the partition that is furthest behind; ms. Undefined before its first heartbeat. */
  readonly transportAgeMs: number | undefined
  /** Of those that it declares and that deliver credit lists. */
  readonly sources: readonly SourceFacts[]
  /** Bad events that nothing newer has replaced and of which nobody can say whom they are about. */
  readonly unreadable: number
  /** How it stands to the checkpoints of its region: 'unknown' before there is one, which is no doubt. */
  readonly proof: 'equal' | 'unknown' | 'parked sets differ' | 'different'
  readonly positions: readonly { readonly topic: string; readonly partition: number; readonly generation: string; readonly next: number }[]
}

export const DOUBTS = ['transport', 'no-source', 'baseline', 'source', 'parked-unreadable', 'parked-subject', 'parked-sets-differ', 'digest-differs', 'registration-number'] as const

/** Why a region does not allow the conclusion that something is not listed. */
export interface Doubt {
  readonly code: (typeof DOUBTS)[number]
  /** The source that owes a hand-over. */
  readonly source?: string
  /** For people. */
  readonly text: string
}

/** The doubts about one region; none = whatever it lists is here. @param now ms UTC */
export function doubtsOf({ transportAgeMs, sources, unreadable, proof }: RegionFacts, now: number): Doubt[] {
  const doubts: Doubt[] = []
  if (transportAgeMs === undefined || transportAgeMs > TRANSPORT_BOUND_MS) {
    const age = transportAgeMs === undefined ? ['尚未收到心跳', 'no heartbeat yet'] : [`已 ${Math.floor(transportAgeMs / 1000)} 秒没有更新`, `nothing new for ${Math.floor(transportAgeMs / 1000)} s`]
    doubts.push({ code: 'transport', text: `该地区${age[0]}，界限为 ${TRANSPORT_BOUND_MS / 1000} 秒 · ${age[1]}, the bound is ${TRANSPORT_BOUND_MS / 1000} s` })
  }
  if (sources.length === 0) doubts.push({ code: 'no-source', text: '该地区没有申报信用名单来源 · the region declares no source of credit lists' })
  for (const { sourceSystem, cadenceSeconds, baselineComplete, lastHandOverAt } of sources) {
    if (!baselineComplete || lastHandOverAt === undefined) {
      doubts.push({ code: 'baseline', source: sourceSystem, text: `来源 ${sourceSystem} 首次全量尚未完整到达 · the first complete load of ${sourceSystem} is not here yet` })
    } else if (now - lastHandOverAt > CADENCES * cadenceSeconds * 1000) {
      doubts.push({ code: 'source', source: sourceSystem, text: `来源 ${sourceSystem} 已超过两个报送周期没有完整交付 · ${sourceSystem} has handed nothing over for more than two of its cadences` })
    }
  }
  if (unreadable > 0) doubts.push({ code: 'parked-unreadable', text: `该地区有 ${unreadable} 条无法读出当事人的异常事件 · ${unreadable} bad events of the region do not tell whom they are about` })
  if (proof === 'parked sets differ') doubts.push({ code: 'parked-sets-differ', text: '本服务与地区副本搁置的事件不一致 · the events parked here are not those parked in the region\'s replica' })
  if (proof === 'different') doubts.push({ code: 'digest-differs', text: '本服务与地区副本的校验值不一致 · the digest here is not that of the region\'s replica' })
  return doubts
}

/** That a bad event names the subject itself. */
export const PARKED_SUBJECT: Doubt = { code: 'parked-subject', text: '该地区有一条涉及该主体的异常事件尚未处理 · a bad event of the region names this subject' }

/** That a registration number was asked for, and nothing was found. */
export const BY_REG_NO: Doubt = { code: 'registration-number', text: '列入信息不一定载有注册号，请以统一社会信用代码查询 · a listing need not name the registration number: ask by the unified social credit code' }
