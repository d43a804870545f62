import { readEvent } from '@hub/schemas/read-event'
import type { Kind } from '@hub/schemas/record-rule'
import type { DataStream } from '@hub/schemas/streams'
import { placer, type Preparing } from './prepare.ts'
import type { PreparedEvent } from './publish-batch.ts'

/** How the hub itself ends a record; it holds where version `after` is still the newest. `asNeverTold`: everything that its source said of it is taken back. */
export interface Act {
  readonly kind: Extract<Kind, 'expiry' | 'erasure' | 'void'>
  /** `YYYY-MM-DD`, Asia/Shanghai. */
  readonly occurredOn: string
  readonly after: number
  readonly asNeverTold?: boolean
}

/**
 * The stub of a record that the hub itself ends.
 * @param record its id and, where they are known, the fields of its newest version in their JSON form: what the stub keeps is taken from there
 */
export function actOfHub(preparing: Preparing, stream: DataStream, { eventId: _, version: __, recordedAt: ___, ...record }: Readonly<Record<string, unknown>>, { kind, occurredOn, ...origin }: Act): PreparedEvent {
  const now = Date.now()
  const read = readEvent(stream, preparing.region, { ...record, kind, occurredOn }, now)
  if (!read.ok) throw new Error(`the stub of an ended record keeps no contract: ${read.problems.map(({ field, rule }) => `${field} ${rule}`).join(', ')}`)
  const placed = placer(preparing, stream, { sources: ['*'], authorities: ['*'] })(read.event, now, null)
  if (!('event' in placed)) throw new Error('an act of the hub may not be published')
  return { ...placed.event, origin: { from: 'hub', ...origin } }
}
