import { readdirSync, readlinkSync } from 'node:fs'
import type { Region } from '@hub/schemas/streams'

/** What one process of a region takes at one moment. */
export interface Sample {
  readonly region: Region
  readonly residentBytes: number
  readonly sockets: number
  /** Events consumed and not applied. */
  readonly queueEvents: number
}

/** Most that a process with all services of a region may take: the sum of their caps, the queue of the replicator with the event that passes it. */
export const CAPS = { residentBytes: (120 + 120 + 150) * 1024 ** 2, sockets: 200, queueEvents: 9_001 }

/** V14: what of these samples is beyond its bound, the worst of each kind. */
export function boundViolations(samples: readonly Sample[]): string[] {
  return (Object.keys(CAPS) as (keyof typeof CAPS)[]).flatMap((what) => {
    const worst = samples.toSorted((a, b) => b[what] - a[what])[0]
    return worst !== undefined && worst[what] > CAPS[what] ? [`V14 ${worst.region}: ${what} was ${worst[what]}, at most ${CAPS[what]}`] : []
  })
}

/** Reads a process of this machine and its /metrics; undefined when it has ended or does not answer. */
export async function sampleOf(region: Region, pid: number, url: string): Promise<Sample | undefined> {
  try {
    const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(3_000) })).text()
    return { region, residentBytes: metric(text, 'hub_resident_memory_bytes'), sockets: socketsOf(pid), queueEvents: metric(text, 'hub_replicator_queue_events') }
  } catch {
    return undefined
  }
}

/** The sum of a metric's values; 0 where it has none. */
export function metric(text: string, name: string): number {
  return [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0)
}

function socketsOf(pid: number): number {
  try {
    const dir = `/proc/${pid}/fd`
    return readdirSync(dir).filter((fd) => {
      try {
        return readlinkSync(`${dir}/${fd}`).startsWith('socket:')
      } catch {
        return false // closed meanwhile
      }
    }).length
  } catch {
    return 0 // a system without /proc
  }
}
