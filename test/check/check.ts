import type { Region } from '@hub/schemas/streams'
import type { HistoryLine } from './history.ts'
import type { PartitionRow, ReplicaState, VersionRow } from './replica-state.ts'

/** The invariants of the reliability reference (5) that this checker decides; V5 is `verifyReplicas`. */
export type Invariant = 'V1' | 'V2' | 'V3' | 'V4' | 'V6' | 'V7'

export interface Violation {
  readonly invariant: Invariant
  readonly region: Region
  readonly what: string
}

export interface Expectations {
  /** How many parked events the test put on the log itself; none by default. */
  readonly poison?: number
  /** The logs were compacted while some replicas were behind: those never saw the versions that went, and only what is current is the same everywhere. */
  readonly compacted?: boolean
}

/**
 * Compares what generators sent with what the replicas have. Where a record ended, its stub alone is kept (design 6), also when it was restored
 * later: versions before the stub count as arrived, and that partition has fewer versions than its counters say.
 */
export function check(history: readonly HistoryLine[], replicas: readonly ReplicaState[], expected: Expectations = {}): Violation[] {
  const sent = indexSent(history)
  return [
    ...replicas.flatMap((replica) => [
      ...noLoss(sent, replica, expected),
      ...noPhantom(sent, replica),
      ...oneEffect(replica),
      ...order(replica),
      ...offsets(replica, expected),
      ...nothingSilent(replica),
    ]),
    ...sameSequences(replicas, expected),
  ]
}

interface Sent { line: HistoryLine, eventIds: Set<string>, outcomes: Set<HistoryLine['outcome']> }

function indexSent(history: readonly HistoryLine[]): Map<string, Sent> {
  const sent = new Map<string, Sent>()
  for (const line of history) {
    const id = versionId(line.topic, line.key, BigInt(line.ver))
    const known = sent.get(id) ?? { line, eventIds: new Set(), outcomes: new Set() }
    if (line.eventId !== undefined) known.eventIds.add(line.eventId)
    known.outcomes.add(line.outcome)
    sent.set(id, known)
  }
  return sent
}

/** V1: every acknowledged version is here, or its record ended at or above it, or it is parked; parked are exactly those the test made so. */
function noLoss(sent: ReadonlyMap<string, Sent>, replica: ReplicaState, { poison = 0, compacted = false }: Expectations): Violation[] {
  const has = new Set(replica.versions.map((row) => versionId(row.topic, row.key, row.version)))
  const endedAt = new Map(replica.versions.filter(({ ended }) => ended).sort((a, b) => compare(a.version, b.version)).map((row) => [keyId(row), row.version]))
  const parked = new Set(replica.parked.map(keyId))
  const newest = new Map(compacted ? replica.versions.filter(({ to }) => to === null).map((row) => [keyId(row), row.version]) : [])
  const lost = [...sent].filter(([id, { line, outcomes }]) =>
    outcomes.has('ok') && !has.has(id) && !((endedAt.get(keyId(line)) ?? -1n) >= BigInt(line.ver)) && !((newest.get(keyId(line)) ?? -1n) > BigInt(line.ver)) && !parked.has(keyId(line)))
  const violations = lost.map(([, { line }]): Violation => violation('V1', replica, `${line.topic} ${line.key} version ${line.ver} was acknowledged and is missing`))
  if (replica.parked.length !== poison) violations.push(violation('V1', replica, `${replica.parked.length} events are parked, ${poison} were made to be`))
  return violations
}

/** V2: nothing is here that was refused or never sent. */
function noPhantom(sent: ReadonlyMap<string, Sent>, replica: ReplicaState): Violation[] {
  return replica.versions.flatMap((row) => {
    const what = `${row.topic} ${row.key} version ${row.version}`
    const origin = sent.get(versionId(row.topic, row.key, row.version))
    if (origin === undefined) return [violation('V2', replica, `${what} was never sent`)]
    if (!origin.outcomes.has('ok') && !origin.outcomes.has('info')) return [violation('V2', replica, `${what} was refused`)]
    if (!origin.outcomes.has('info') && origin.eventIds.size > 0 && !origin.eventIds.has(row.eventId)) return [violation('V2', replica, `${what} has event ${row.eventId}, not the acknowledged one`)]
    return []
  })
}

/** V3: no version twice, and every counter equals its recount. */
function oneEffect(replica: ReplicaState): Violation[] {
  const times = new Map<string, number>()
  for (const row of replica.versions) times.set(versionId(row.topic, row.key, row.version), (times.get(versionId(row.topic, row.key, row.version)) ?? 0) + 1)
  const doubles = [...times].filter(([, count]) => count > 1).map(([id, count]) => violation('V3', replica, `${id} stands ${count} times`))
  const byPartition = Map.groupBy(replica.versions, partitionId)
  return [...doubles, ...replica.partitions.flatMap((partition) => recount(replica, partition, byPartition.get(partitionId(partition)) ?? []))]
}

function recount(replica: ReplicaState, partition: PartitionRow, versions: readonly VersionRow[]): Violation[] {
  const id = partitionId(partition)
  const current = versions.filter(({ to }) => to === null)
  const ended = current.filter((row) => row.ended)
  const parked = replica.parked.filter((row) => partitionId(row) === id)
  const taken = partition.applied + partition.folded
  const wrong = (name: string, counter: bigint, rows: number): Violation[] =>
    counter === BigInt(rows) ? [] : [violation('V3', replica, `${id}: ${name} says ${counter}, the rows say ${rows}`)]
  return [
    ...wrong('records', partition.records, current.length),
    ...wrong('ended_records', partition.endedRecords, ended.length),
    ...(versions.some((row) => row.ended) && taken > BigInt(versions.length) ? [] : wrong('applied + folded', taken, versions.length)),
    ...wrong('parked', partition.parked, parked.length),
  ]
}

/** V4 in one replica: the versions of a record rise with the offsets, and each holds until the next begins. */
function order(replica: ReplicaState): Violation[] {
  return [...Map.groupBy(replica.versions, keyId)].flatMap(([id, rows]) => {
    const sorted = rows.toSorted((a, b) => compare(a.from, b.from))
    return sorted.flatMap((row, i) => {
      const next = sorted[i + 1]
      if (next === undefined) return row.to === null ? [] : [violation('V4', replica, `${id} has no current version after offset ${row.to}`)]
      if (next.version <= row.version) return [violation('V4', replica, `${id}: version ${next.version} at offset ${next.from} comes after ${row.version} at ${row.from}`)]
      return row.to === next.from ? [] : [violation('V4', replica, `${id}: version ${row.version} ends at ${row.to}, the next begins at ${next.from}`)]
    })
  })
}

/** V4 between replicas: the same versions of a record at the same offsets everywhere. */
function sameSequences(replicas: readonly ReplicaState[], { compacted = false }: Expectations): Violation[] {
  const [first, ...others] = replicas
  if (first === undefined) return []
  const expected = sequences(first, compacted)
  return others.flatMap((replica) => {
    const own = sequences(replica, compacted)
    return [...new Set([...expected.keys(), ...own.keys()])].filter((id) => expected.get(id) !== own.get(id))
      .map((id) => violation('V4', replica, `${id} is ${own.get(id) ?? 'missing'}, in ${first.region} ${expected.get(id) ?? 'missing'}`))
  })
}

function sequences({ versions }: ReplicaState, currentAlone: boolean): Map<string, string> {
  return new Map([...Map.groupBy(currentAlone ? versions.filter(({ to }) => to === null) : versions, keyId)].map(([id, rows]) => [
    id, rows.toSorted((a, b) => compare(a.from, b.from)).map((row) => `${row.version}@${row.from}${row.ended ? ' ended' : ''} ${row.eventId}`).join(', '),
  ]))
}

/** V6: each offset below the position is in exactly one class, none is absent unless the log was compacted, and every row's offset is one of them. */
function offsets(replica: ReplicaState, { compacted = false }: Expectations): Violation[] {
  const taken = Map.groupBy([...replica.versions.map((row) => ({ ...row, at: row.from })), ...replica.parked.map((row) => ({ ...row, at: row.offset }))], partitionId)
  return replica.partitions.flatMap((partition) => {
    const id = partitionId(partition)
    const rows = taken.get(id) ?? []
    taken.delete(id)
    const classes = partition.applied + partition.duplicate + partition.stale + partition.folded + partition.parked + partition.control + partition.absent
    const span = partition.nextOffset - partition.firstOffset
    const outside = rows.filter(({ at }) => at < partition.firstOffset || at >= partition.nextOffset)
    const twice = rows.length - new Set(rows.map(({ at }) => at)).size
    return [
      ...(classes === span ? [] : [violation('V6', replica, `${id}: ${span} offsets, ${classes} in classes`)]),
      ...(partition.absent === 0n || compacted ? [] : [violation('V6', replica, `${id}: ${partition.absent} offsets are absent`)]),
      ...outside.map(({ key, at }) => violation('V6', replica, `${id}: ${key} at offset ${at} lies outside [${partition.firstOffset}, ${partition.nextOffset})`)),
      ...(twice === 0 ? [] : [violation('V6', replica, `${id}: ${twice} offsets hold more than one event`)]),
    ]
  })
}

/** V7: whatever is parked says why. */
function nothingSilent(replica: ReplicaState): Violation[] {
  return replica.parked.filter(({ reason }) => reason === '').map((row) => violation('V7', replica, `${partitionId(row)}: offset ${row.offset} is parked without a reason`))
}

function violation(invariant: Invariant, { region }: ReplicaState, what: string): Violation {
  return { invariant, region, what }
}

function keyId({ topic, key }: { topic: string, key: string }): string {
  return `${topic} ${key}`
}

function partitionId({ topic, partition }: { topic: string, partition: number }): string {
  return `${topic}/${partition}`
}

function versionId(topic: string, key: string, version: bigint): string {
  return `${topic} ${key} version ${version}`
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
