import type { Log } from '@hub/runtime/log'
import type { LogPlace } from '@hub/schemas/log-event'
import type { Region, Topic } from '@hub/schemas/streams'
import { logsOf } from './changes/cursor.ts'
import { Ring, type RingState } from './changes/ring.ts'
import type { RegionFacts } from './completeness.ts'
import type { Holdings } from './holdings.ts'
import { keyOf, type LogState } from './logs.ts'
import { Partition, type PartitionState, type Proof } from './partition.ts'
import { load, type Place, save } from './snapshot.ts'
import { Sources } from './sources.ts'

export const STREAM = 'credit-blacklist'
/** From the best to the worst. */
const PROOFS: readonly Proof[] = ['equal', 'unknown', 'parked sets differ', 'different']

/** What is known now, and how far it has been read. */
export interface Life {
  readonly holdings: Holdings
  /** In the order of their numbers in the holdings. */
  readonly partitions: readonly Partition[]
  readonly sources: Sources
  /** The newest changes, and which logs they are of. */
  readonly changes: Ring
  readonly logs: string
  /** Everything the logs had when it began is here. */
  readonly loaded: boolean
}

/** A life as its reader goes on with it. */
export interface OwnLife extends Life {
  /** By `topic/partition`: where a technical topic is read from, how far it is, and how far it must be. */
  readonly technical: Map<string, { readonly place: LogPlace; next: number; readonly readyAt: number }>
  /** Said by the snapshot that it began with. */
  readonly rebuilt: boolean
  readonly byKey: ReadonlyMap<string, { readonly place: LogPlace; readonly partition: Partition; lost: boolean }>
}

/** What a snapshot keeps beside the holdings. */
interface SavedState {
  readonly partitions: readonly PartitionState[]
  readonly changes: RingState
  /** It was read from the beginning because it was not what the region's replica is: never a second time. */
  readonly rebuilt: boolean
}

export interface Beginning {
  /** Partitions of the lists; each has its number in the holdings by its place here. */
  readonly places: readonly { readonly topic: string; readonly partition: number; readonly region: Region }[]
  readonly technical: readonly Topic[]
  readonly dir: string
  readonly log: Log
}

/** From the newest snapshot that is of these logs, else from nothing. */
export function begin({ places, technical, dir, log }: Beginning, logs: ReadonlyMap<string, LogState>): OwnLife {
  const { holdings, places: saved, state, skipped } = load({ dir, places: places.length, refuse: (found) => found.map((one) => isOther(logs, one) ?? isOutside(logs, one)).find((one) => one !== undefined) })
  for (const { name, error } of skipped) log.warn({ snapshot: name, err: error }, 'a snapshot is of no use')
  const before = state as SavedState | undefined
  const partitions = places.map(({ topic, partition, region: origin }, number) => {
    const { low, high, generation } = logs.get(keyOf({ topic, partition }))!
    return new Partition(number, origin, saved[number] ?? { topic, partition, generation, next: low }, high, before?.partitions[number])
  })
  log.info({ subjects: holdings.subjects.size, records: holdings.records.size, snapshot: saved.length > 0 }, 'credit lists loaded')
  const reading = new Map(technical.map(({ topic, region: origin, stream }) => {
    const { low, high } = logs.get(keyOf({ topic, partition: 0 }))!
    // What a region says of a source stands until it says something else; a checkpoint is worth something for minutes.
    return [keyOf({ topic, partition: 0 }), { place: { region: origin, stream, partition: 0, technical: true }, next: stream === 'checkpoint' ? high : low, readyAt: high }]
  }))
  return {
    holdings, partitions, sources: new Sources(), technical: reading,
    changes: new Ring(partitions.map(({ next }) => next), before?.changes),
    logs: logsOf(partitions.map(({ generation }) => generation)),
    rebuilt: before?.rebuilt ?? false,
    get loaded() {
      return partitions.every(({ loaded }) => loaded) && [...reading.values()].every(({ next, readyAt }) => next >= readyAt)
    },
    byKey: new Map(partitions.map((partition) => [keyOf(partition), { partition, lost: false, place: { region: partition.region, stream: STREAM, partition: partition.partition, technical: false } }])),
  }
}

/** Writes a snapshot of it. */
export async function saveLife({ holdings, partitions, changes }: OwnLife, rebuilt: boolean, dir: string, signal?: AbortSignal): Promise<void> {
  const state: SavedState = { partitions: partitions.map((partition) => partition.state), changes: changes.state, rebuilt }
  await save(dir, holdings, partitions.map((partition) => partition.place), state, signal)
}

/** What a region's completeness is judged by. */
export function factsOf(of: Life, one: Region, topicPrefix: string): RegionFacts {
  const own = of.partitions.filter((partition) => partition.region === one)
  const now = performance.now()
  const ages = own.map(({ freshness }) => freshness.staleness(now))
  return {
    region: one,
    transportAgeMs: ages.some((age) => age === undefined) ? undefined : Math.max(...ages.map((age) => age!)),
    sources: of.sources.of(one, (topic, partition) => own.find((found) => found.topic === topicPrefix + topic && found.partition === partition)?.lastSequence),
    unreadable: own.reduce((sum, { unreadable }) => sum + unreadable, 0),
    proof: own.map(({ proof }) => proof).reduce((worst, next) => (PROOFS.indexOf(next) > PROOFS.indexOf(worst) ? next : worst)),
    positions: own.map(({ place }) => ({ ...place, topic: place.topic.slice(topicPrefix.length) })),
  }
}

/** What tells that a place is of another log than the one that is there; undefined = it is of this one. */
export function isOther(logs: ReadonlyMap<string, LogState>, place: Place): string | undefined {
  return logs.get(keyOf(place))?.generation === place.generation ? undefined : `${keyOf(place)} is another log`
}

function isOutside(logs: ReadonlyMap<string, LogState>, place: Place): string | undefined {
  const { low, high } = logs.get(keyOf(place))!
  return place.next < low || place.next > high ? `${place.next} lies outside the log of ${keyOf(place)}` : undefined
}
