/** What the gateway remembers of one published version of a record; `hash` is the body hash of design 3. */
export interface PublishedVersion {
  version: number
  hash: Buffer
  eventId: string
  ended: boolean
  /** Which version it is in its source's own count, where that is another than `version`: the two part once the hub has acted itself (decision 0026). */
  sourceVersion?: number | undefined
  /** An act of the hub and not of the record's source: an expiry, an erasure, an import taken back. */
  own?: boolean
  /** Its personal data are gone, and with them everything that its source said before. */
  erased?: boolean
}

/**
 * Where an event's version comes from: the source's own number, the source's update time (ms UTC), or nothing, in which case the gateway counts. An act of the hub
 * itself follows the version that it was decided on; `asNeverTold` takes back all that the source said of the record.
 */
export type VersionOrigin = { from: 'source' | 'time'; version: number } | { from: 'counter' } | { from: 'hub'; after: number; asNeverTold?: boolean }

export interface IncomingVersion {
  origin: VersionOrigin
  hash: Buffer
  kind: string
  ended: boolean
  /** It stands in a file that was imported before, byte by byte: what its rows said then is nothing new now. */
  again?: boolean
}

/** The published versions of one record: the newest, and those of its source whose number an incoming event names. */
export interface RecordHistory {
  current: PublishedVersion | undefined
  /** The newest version that the source itself gave this number; acts of the hub are none. */
  find(sourceVersion: number): PublishedVersion | undefined
  /** A version with this content that its source told, since all it said was taken back if it was. Needed where the event may have come before (`again`). */
  findBody?(hash: Buffer): PublishedVersion | undefined
}

export type Decision =
  /** `sourceVersion` where it is another than `version`. */
  | { verdict: 'accepted' | 'new-version'; version: number; sourceVersion?: number | undefined }
  | { verdict: 'duplicate'; of: PublishedVersion }
  | { verdict: 'conflict'; with: PublishedVersion }
  | { verdict: 'stale'; current: PublishedVersion; reason: 'older-version' | 'ended' | 'erased' }

/**
 * Decides what becomes of an event of a record that the gateway may know already (design 3, "Identity and versions").
 *
 * - A version number of the source is compared with every published version: same number and body is a duplicate, same number
 *   and another body a conflict, a number below the newest stale.
 * - An update time is such a number too, but a system that touches a record without changing it stamps it anew: a body equal to
 *   the current one is a duplicate whatever its time.
 * - Without either, the body is compared with the current version only, so a record may return to an earlier state; and with any earlier version where the same file came before, so that a file that corrects itself publishes nothing the second time.
 * - An ended record comes back only as `restored` or with a higher number of the source; what merely ends it again may follow. An erased one comes back as `restored` alone: a nightly
 *   list must not bring back what somebody had erased.
 * - An act of the hub takes a version that its source does not know of. So numbers of the source are compared with the source's own, and published above what is published. It holds
 *   only where nothing has come between.
 */
export function decidePublication(history: RecordHistory, incoming: IncomingVersion): Decision {
  const { current } = history
  const { origin } = incoming
  if (origin.from === 'hub') return decideAct(current, origin, incoming)
  if (current === undefined) return { verdict: 'accepted', version: origin.from === 'counter' ? 1 : origin.version }
  if (current.erased === true && incoming.kind !== 'restored') return incoming.hash.equals(current.hash) ? { verdict: 'duplicate', of: current } : { verdict: 'stale', current, reason: 'erased' }

  const known = countedBySource(current)
  const told = current.own === true ? history.find(known) : current
  const unchanged = [current, told].find((one) => one?.hash.equals(incoming.hash))
  if (origin.from !== 'source' && unchanged !== undefined) return { verdict: 'duplicate', of: unchanged }
  if (origin.from === 'counter') {
    const before = incoming.again === true ? history.findBody?.(incoming.hash) : undefined
    if (before !== undefined) return { verdict: 'duplicate', of: before }
    if (current.ended && !isNeverTold(current) && !incoming.ended && incoming.kind !== 'restored') return { verdict: 'stale', current, reason: 'ended' }
    return { verdict: 'new-version', version: current.version + 1 }
  }
  if (origin.version > known) {
    const version = Math.max(origin.version, current.version + 1)
    return { verdict: 'new-version', version, ...(version !== origin.version && { sourceVersion: origin.version }) }
  }
  const same = origin.version === known ? told : history.find(origin.version)
  if (same === undefined) return { verdict: 'stale', current, reason: 'older-version' }
  return incoming.hash.equals(same.hash) ? { verdict: 'duplicate', of: same } : { verdict: 'conflict', with: same }
}

function decideAct(current: PublishedVersion | undefined, { after, asNeverTold = false }: Extract<VersionOrigin, { from: 'hub' }>, incoming: IncomingVersion): Decision {
  if (current === undefined) throw new Error('an act of the hub on a record that was never published')
  if (current.version === after) return { verdict: 'new-version', version: after + 1, sourceVersion: asNeverTold ? NEVER_TOLD : countedBySource(current) }
  return current.own === true && current.hash.equals(incoming.hash) ? { verdict: 'duplicate', of: current } : { verdict: 'stale', current, reason: 'older-version' }
}

const NEVER_TOLD = 0

/** Everything the source said was taken back: it may say it again, under the same numbers. */
function isNeverTold({ own, sourceVersion }: PublishedVersion): boolean {
  return own === true && sourceVersion === NEVER_TOLD
}

/** The newest version in the source's own count. */
export function countedBySource({ version, sourceVersion }: Pick<PublishedVersion, 'version' | 'sourceVersion'>): number {
  return sourceVersion ?? version
}
