import { judgePartition, type Cut } from '@hub/replicator/convergence'
import { type Digest, xor } from '@hub/replicator/apply'
import { recordHash } from '@hub/schemas/record-rule'
import type { HistoryRow, MemoryReplica, PositionRow, RecordRow } from './memory-replica.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type { World } from './world.ts'

/** What holds after every transaction: V6, the recount of V3, and that nothing is claimed to be fresher than it is. @returns the violations. */
export function checkAlways(world: World, process: ReplicaProcess): string[] {
  const { store } = process
  const problems = [...store.positions.values()].flatMap((position) => counters(store, position))
  for (const slot of process.slots) {
    const staleness = slot.freshness.staleness(world.now)
    const log = world.broker.log(slot.topic, slot.partition)
    if (staleness === undefined || world.lost.has(keyOf(slot))) continue
    // The delay that a heartbeat carries ends when it is encoded, and its way to the log is not in it.
    const since = world.now - staleness - log.slowestMs
    const commits = world.origins.find(({ topic }) => topic === slot.topic)!.commits[slot.partition]!
    const { lastSequence } = store.positions.get(keyOf(slot))!
    const missing = commits.findIndex((at, sequence) => sequence > lastSequence && at < since)
    if (missing >= 0) problems.push(`freshness: ${store.region} says that ${keyOf(slot)} lacks nothing older than ${world.now - staleness}, and sequence ${missing} of ${commits[missing]} is missing`)
  }
  return problems
}

/** What holds once everything is at rest: V1 to V6 and the checkpoints. @returns the violations. */
export async function checkAtRest(world: World): Promise<string[]> {
  const problems: string[] = []
  const sound = new Set(world.places.filter((place) => isSound(world, place)).map(keyOf))
  for (const store of world.replicas) {
    for (const position of store.positions.values()) {
      const end = world.broker.log(position.topic, position.partition)
      if (sound.has(keyOf(position)) && position.next !== end.end) problems.push(`V6 ${store.region} ${keyOf(position)} stands at ${position.next} of ${end.end}`)
    }
    problems.push(...noLoss(world, store, sound), ...parkedAsMade(world, store, sound), ...noPhantom(world, store), ...order(store))
  }
  problems.push(...stopsAtLosses(world), ...sameCheckpoints(world))
  const late = await lateReplica(world, sound)
  problems.push(...same(world.replicas, sound), ...same([world.replicas[0]!, late], sound))
  return problems
}

/** An origin whose log has a hole is mended by people: its partitions stand still. */
function isSound(world: World, place: { topic: string; partition: number }): boolean {
  const origin = world.origins.find(({ topic }) => topic === place.topic)!
  return ![...world.lost.keys()].some((key) => key.startsWith(`${place.topic}/`)) && !origin.holes.has(place.partition)
}

function counters(store: MemoryReplica, position: PositionRow): string[] {
  const id = `${store.region} ${keyOf(position)}`
  const rows = [...store.rows.values()].filter(({ place }) => keyOf(place) === keyOf(position))
  const history = store.history.filter(({ place }) => keyOf(place) === keyOf(position))
  const parked = [...store.parked.values()].filter(({ place }) => keyOf(place) === keyOf(position))
  const open = parked.filter(({ buriedBy }) => buriedBy === undefined)
  const { counts } = position
  const classes = Object.values(counts).reduce((sum, n) => sum + n)
  const problems: string[] = []
  const equal = (what: string, kept: unknown, found: unknown): void => {
    if (kept !== found) problems.push(`${what} of ${id}: ${String(kept)} kept, ${String(found)} recounted`)
  }
  equal('V6 offsets in classes', classes, position.next - position.first)
  equal('V3 records', position.records, rows.length)
  equal('V3 ended records', position.endedRecords, rows.filter(({ item }) => item.ended).length)
  equal('V3 parked', counts.parked, parked.length)
  equal('V3 open parked', position.parkedOpen, open.length)
  equal('V5 digest', text(position.digest), text(digestOf(rows.map(({ item }) => recordHash(item.key, item.version, item.body)))))
  equal('V5 parked digest', text(position.parkedDigest), text(digestOf(open.map(({ item }) => item.hash))))
  // An end takes the versions before it away.
  if (![...rows, ...history].some(({ item }) => item.ended)) equal('V3 versions', counts.applied + counts.folded, rows.length + history.length)
  return problems
}

/** V1: every version that a publisher was told of is here, or was taken by compaction or by an end; the newest is the current one. */
function noLoss(world: World, store: MemoryReplica, sound: ReadonlySet<string>): string[] {
  const problems: string[] = []
  for (const told of world.told.values()) {
    const current = store.rows.get(`${told.topic} ${told.recordId}`)
    if (current === undefined) {
      const place = [...store.rows.values()].find(({ place: { topic } }) => topic === told.topic)?.place
      const partition = Number(told.recordId.slice(1)) % 2
      if (told.outcome === 'ok' && sound.has(`${told.topic}/${partition}`)) problems.push(`V1 ${store.region} has nothing of ${told.topic} ${told.recordId}, of which version ${told.version} was acknowledged (${place?.topic ?? 'nothing at all'})`)
      continue
    }
    if (!sound.has(keyOf(current.place)) || told.outcome !== 'ok') continue
    if (current.item.version < BigInt(told.version)) problems.push(`V1 ${store.region} ${told.topic} ${told.recordId} is version ${current.item.version}, and ${told.version} was acknowledged`)
    const versions = versionsOf(store, told.topic, told.recordId)
    const ended = versions.some(({ item }) => item.ended && item.version >= BigInt(told.version))
    const compacted = store.positions.get(keyOf(current.place))!.counts.absent > 0
    if (!ended && !compacted && !versions.some(({ item }) => item.version === BigInt(told.version))) problems.push(`V1 ${store.region} ${told.topic} ${told.recordId} version ${told.version} was acknowledged and is missing`)
  }
  for (const { topic, newest, recordIds } of world.origins.map((origin) => ({ topic: origin.topic, newest: origin.newest.bind(origin), recordIds: origin.recordIds }))) {
    for (const recordId of recordIds) {
      const current = store.rows.get(`${topic} ${recordId}`)
      if (current !== undefined && sound.has(keyOf(current.place)) && current.item.eventId !== newest(recordId)!.eventId) problems.push(`V1 ${store.region} ${topic} ${recordId} is ${current.item.eventId}, the newest published is ${newest(recordId)!.eventId}`)
    }
  }
  return problems
}

/** V1: parked are the events that nobody can read, all of them and no other; those that compaction took are missing. */
function parkedAsMade(world: World, store: MemoryReplica, sound: ReadonlySet<string>): string[] {
  return world.origins.flatMap(({ topic, poisons }) => {
    const parked = new Set([...store.parked.values()].filter(({ place }) => place.topic === topic).map(({ place, item }) => `${place.partition}/${item.sequence}`))
    const whole = (one: string): boolean => {
      const key = `${topic}/${one.slice(0, one.indexOf('/'))}`
      return sound.has(key) && store.positions.get(key)!.counts.absent === 0
    }
    return [
      ...[...parked.difference(poisons)].map((one) => `V1 ${store.region} ${topic}/${one} is parked and can be read`),
      ...[...poisons.difference(parked)].filter(whole).map((one) => `V1 ${store.region} ${topic}/${one} cannot be read and is not parked`),
    ]
  })
}

/** V2: nothing is here that no publisher wrote. */
function noPhantom(world: World, store: MemoryReplica): string[] {
  return [...store.rows.values(), ...store.history].flatMap(({ place, item }) => {
    const id = `${place.topic} ${item.key} ${item.version}`
    const told = world.told.get(id)
    return told?.eventId === item.eventId ? [] : [`V2 ${store.region} ${id} is event ${item.eventId}, told was ${told?.eventId ?? 'nothing'}`]
  })
}

/** V3 and V4: the versions of a record rise with the offsets, none twice, and each holds until the next begins. */
function order(store: MemoryReplica): string[] {
  return [...Map.groupBy([...store.rows.values(), ...store.history], ({ place, item }) => `${place.topic} ${item.key}`)].flatMap(([id, rows]) => {
    const sorted = rows.toSorted((a, b) => a.item.offset - b.item.offset)
    return sorted.flatMap((row, i) => {
      const next = sorted[i + 1]
      if (next === undefined) return 'to' in row ? [`V4 ${store.region} ${id} has no current version after ${row.to}`] : []
      if (next.item.version <= row.item.version) return [`V4 ${store.region} ${id}: version ${next.item.version} comes after ${row.item.version}`]
      return 'to' in row && row.to === next.item.offset ? [] : [`V4 ${store.region} ${id}: version ${row.item.version} does not hold until the next`]
    })
  })
}

/** Behind an event that never reached the log nothing is applied, and behind a row that vanished from the outbox nothing is sent. */
function stopsAtLosses(world: World): string[] {
  const problems: string[] = []
  for (const [key, sequence] of world.lost) {
    const log = world.broker.logs.get(key)!
    if (world.has('compact') || log.entries.some(({ headers }) => headers['sequence'] === `${sequence}`)) continue
    for (const store of world.replicas) {
      const { lastSequence } = store.positions.get(key)!
      if (lastSequence > sequence) problems.push(`V1 ${store.region} ${key} went past sequence ${sequence}, which never reached the log, to ${lastSequence}`)
    }
  }
  for (const origin of world.origins) {
    for (const [partition, hole] of origin.holes) {
      const { entries } = world.broker.log(origin.topic, partition)
      const sent = entries.map(({ headers }) => Number(headers['sequence'] ?? -1))
      if (world.has('compact') || world.lost.has(`${origin.topic}/${partition}`) || sent.includes(Number(hole))) continue
      if (sent.some((sequence) => sequence > hole)) problems.push(`V1 ${origin.topic}/${partition}: events behind sequence ${hole}, which vanished from the outbox, were sent`)
    }
  }
  return problems
}

/** V5 under way: checkpoints of the same offset say the same. */
function sameCheckpoints(world: World): string[] {
  return world.places.flatMap((place) => {
    const cuts = world.replicas.flatMap((store) => [...store.checkpoints.values()].filter((one) => keyOf(one.place) === keyOf(place)).map((one): Cut => ({
      region: store.region, generation: one.generation, nextOffset: one.next, digest: text(one.digest), parkedDigest: text(one.parkedDigest), at: 0,
    })))
    const offsets = [...new Set(cuts.map(({ nextOffset }) => nextOffset))]
    return offsets.flatMap((offset) => {
      const there = cuts.filter(({ nextOffset }) => nextOffset === offset)
      const { verdict } = judgePartition(there.map(({ region }) => region), there[0]!.generation, 0, there)
      return verdict === 'equal' ? [] : [`V5 the checkpoints of ${keyOf(place)} at ${offset} are judged ${verdict}`]
    })
  })
}

/** A replica that begins after everything was compacted has what the others have. */
async function lateReplica(world: World, sound: ReadonlySet<string>): Promise<MemoryReplica> {
  for (const place of world.places) {
    const log = world.broker.log(place.topic, place.partition)
    if (sound.has(keyOf(place))) log.settled = log.end
    world.broker.compact(log, log.end)
  }
  return await world.lateReplica()
}

/** V5 at rest: the same records, the same open parked events, the same digests. */
function same(stores: readonly MemoryReplica[], sound: ReadonlySet<string>): string[] {
  const [first, ...others] = stores.map((store) => ({
    region: store.region,
    rows: [...store.rows.values()].filter(({ place }) => sound.has(keyOf(place))).map(({ place, item }) => `${place.topic} ${item.key} v${item.version} ${item.hash.toString('hex')}`).sort(),
    open: [...store.parked.values()].filter(({ place, buriedBy }) => sound.has(keyOf(place)) && buriedBy === undefined).map(({ place, item }) => `${keyOf(place)}@${item.offset}`).sort(),
    digests: [...store.positions.values()].filter((one) => sound.has(keyOf(one))).map((one) => `${keyOf(one)} ${text(one.digest)} ${text(one.parkedDigest)}`).sort(),
  }))
  return others.flatMap((other) => (['rows', 'open', 'digests'] as const).flatMap((what) => {
    const [here, there] = [first![what].join('; '), other[what].join('; ')]
    return here === there ? [] : [`V5 ${what} of ${first!.region} and ${other.region} differ: ${here} | ${there}`]
  }))
}

function versionsOf(store: MemoryReplica, topic: string, recordId: string): (RecordRow | HistoryRow)[] {
  return [...store.rows.values(), ...store.history].filter(({ place, item }) => place.topic === topic && item.key === recordId)
}

function digestOf(hashes: readonly Buffer[]): Digest {
  const digest: Digest = { hi: 0n, lo: 0n }
  for (const hash of hashes) xor(digest, hash)
  return digest
}

function text({ hi, lo }: Digest): string {
  return `${BigInt.asUintN(64, hi).toString(16)}-${BigInt.asUintN(64, lo).toString(16)}`
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`
}
