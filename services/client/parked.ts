import type { Region } from '@hub/schemas/streams'
import type { Transport } from './transport.ts'
import { queryOf } from './transport.ts'

/** Where an event stands on the log. Offsets are decimal strings. */
export interface LogPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** An event that a replica could not read and set aside; its bytes stay on the log. */
export interface ParkedEntry extends LogPlace {
  readonly key: string
  readonly subject: string | null
  readonly reason: string
  readonly zh: string
  readonly en: string
  readonly at: string
  readonly buriedBy: string | null
}

export interface Contact {
  readonly source: string
  readonly owner: string
  readonly dutyLine: string
}

interface Told {
  readonly todo: { readonly zh: string; readonly en: string }
  readonly supersededBy: { readonly version: string; readonly offset: string } | null
  readonly contact: Contact | null
}

export interface ParkedDetail extends ParkedEntry, Told {
  readonly region: Region
  readonly stream: string
  readonly generation: string
  readonly hash: string
  readonly state: 'open' | 'buried' | 'superseded' | 'redriven'
  readonly redriven: { readonly at: string; readonly class: string; readonly who: string; readonly why: string } | null
}

/** An event of the gateway's own region that some region parked. */
export interface ParkedOfOrigin extends LogPlace, Told {
  readonly stream: string
  readonly key: string
  readonly reason: string
  readonly zh: string
  readonly en: string
  readonly at: string
  readonly regions: readonly { readonly region: Region; readonly reason: string; readonly at: string }[]
}

/** Which parked events are to be read again, and why. */
export interface RedriveWish {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: string
  readonly reason?: string
  readonly why: string
}

export interface Redrive {
  readonly id: string
  readonly state: 'waiting' | 'done'
  readonly applying: boolean
  readonly outcome: {
    readonly redriven: Readonly<Record<string, number>>
    readonly parked: number
    readonly gone: number
    readonly events: readonly (LogPlace & { readonly result: 'redriven' | 'parked' | 'gone'; readonly class?: string; readonly reason?: string })[]
  } | null
}

interface Listing {
  readonly open?: boolean | undefined
}

export function parked(transport: Transport): {
  /** What the region's replica set aside, page after page. */
  parked(filters?: Listing & { readonly topic?: string | undefined; readonly reason?: string | undefined }): AsyncGenerator<ParkedEntry, void>
  parkedEvent(place: LogPlace): Promise<ParkedDetail>
  /** What of the region's own events is parked where, page after page. */
  parkedOfOrigin(filters?: Listing): AsyncGenerator<ParkedOfOrigin, void>
  /** Has parked events read again after a software fix; look at what came of it with `redrive`. Never sent twice. */
  askRedrive(wish: RedriveWish): Promise<Redrive>
  redrive(id: string): Promise<Redrive>
} {
  async function* pages<T>(path: string, filters: Readonly<Record<string, string | boolean | undefined>>): AsyncGenerator<T, void> {
    let after: string | undefined
    do {
      const page: { parked: readonly T[]; next: string | null } = await transport.json(`${path}?${queryOf({ ...filters, after })}`)
      yield* page.parked
      after = page.next ?? undefined
    } while (after !== undefined)
  }
  return {
    parked: (filters = {}) => pages<ParkedEntry>('/v1/parked', { ...filters }),
    parkedEvent: ({ topic, partition, offset }) => transport.json(`/v1/parked/${encodeURIComponent(topic)}/${partition}/${offset}`),
    parkedOfOrigin: (filters = {}) => pages<ParkedOfOrigin>('/v1/parked/origin', { ...filters }),
    askRedrive: async (wish) => transport.read<Redrive>(await transport.open('/v1/parked/redrives', { method: 'POST', body: JSON.stringify(wish), headers: { 'content-type': 'application/json' } })),
    redrive: (id) => transport.json(`/v1/parked/redrives/${encodeURIComponent(id)}`),
  }
}
