/** What the gateway remembers of one published version of a record; `hash` is the body hash of design 3. */
export interface PublishedVersion {
  version: number
  hash: Buffer
  eventId: string
  ended: boolean
}

/**
 * Where an event's version comes from: the source's own number, the source's update time (ms UTC), or nothing,
 * in which case the gateway counts.
 */
export type VersionOrigin = { from: 'source' | 'time'; version: number } | { from: 'counter' }

export interface IncomingVersion {
  origin: VersionOrigin
  hash: Buffer
  kind: string
  ended: boolean
}

/** The published versions of one record: the newest, and those whose number an incoming event names. */
export interface RecordHistory {
  current: PublishedVersion | undefined
  find(version: number): PublishedVersion | undefined
}

export type Decision =
  | { verdict: 'accepted' | 'new-version'; version: number }
  | { verdict: 'duplicate'; of: PublishedVersion }
  | { verdict: 'conflict'; with: PublishedVersion }
  | { verdict: 'stale'; current: PublishedVersion; reason: 'older-version' | 'ended' }

/**
 * Decides what becomes of an event of a record that the gateway may know already (design 3, "Identity and versions").
 *
 * - A version number of the source is compared with every published version: same number and body is a duplicate, same number
 *   and another body a conflict, a number below the newest stale.
 * - An update time is such a number too, but a system that touches a record without changing it stamps it anew: a body equal to
 *   the current one is a duplicate whatever its time.
 * - Without either, the body is compared with the current version only, so a record may return to an earlier state.
 * - An ended record comes back only as `restored` or with a higher number of the source; what merely ends it again may follow.
 */
export function decidePublication(history: RecordHistory, incoming: IncomingVersion): Decision {
  const { current } = history
  const { origin } = incoming
  if (current === undefined) return { verdict: 'accepted', version: origin.from === 'counter' ? 1 : origin.version }
  if (origin.from !== 'source' && incoming.hash.equals(current.hash)) return { verdict: 'duplicate', of: current }
  if (origin.from === 'counter') {
    if (current.ended && !incoming.ended && incoming.kind !== 'restored') return { verdict: 'stale', current, reason: 'ended' }
    return { verdict: 'new-version', version: current.version + 1 }
  }
  if (origin.version > current.version) return { verdict: 'new-version', version: origin.version }
  const same = origin.version === current.version ? current : history.find(origin.version)
  if (same === undefined) return { verdict: 'stale', current, reason: 'older-version' }
  return incoming.hash.equals(same.hash) ? { verdict: 'duplicate', of: same } : { verdict: 'conflict', with: same }
}
