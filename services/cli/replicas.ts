import type { Db } from '@hub/runtime/db'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { databaseOf, regionsWith, type Settings } from './settings.ts'

/** One region's database: the outbox of what it publishes and its replica of everything. */
export interface Replica {
  readonly region: Region
  readonly db: Db
}

/** A partition of a log and the sequence that its origin gives to the next event. */
export interface Target {
  readonly topic: string
  readonly partition: number
  readonly nextSequence: bigint
}

/** What one replica lacks of one topic. */
export interface Missing {
  readonly region: Region
  readonly topic: string
  readonly events: bigint
}

/** Opens the databases of all regions whose address is known; hand it to `await using`. */
export function openReplicas(settings: Settings): { replicas: Replica[] } & AsyncDisposable {
  const replicas = regionsWith(settings, 'databaseUrl').map(({ region, settings: { databaseUrl } }) => ({ region, db: databaseOf(databaseUrl) }))
  return { replicas, async [Symbol.asyncDispose]() { await Promise.all(replicas.map(({ db }) => db.close())) } }
}

/** The ends of all logs, counted by what the origins have acknowledged, whether or not it is on the log yet. */
export async function readTargets(replicas: readonly Replica[]): Promise<Target[]> {
  const targets = await Promise.all(replicas.map(({ db }) =>
    db.query<Target>('SELECT topic, partition, next_sequence AS "nextSequence" FROM outbox_head WHERE next_sequence > 0')))
  return targets.flatMap(({ rows }) => rows)
}

/** What each replica still lacks of these targets, by topic; empty when everything has arrived everywhere. */
export async function readMissing(replicas: readonly Replica[], targets: readonly Target[]): Promise<Missing[]> {
  const missing = await Promise.all(replicas.map(async ({ region, db }) => {
    const { rows } = await db.query<{ topic: string; partition: number; last_sequence: bigint }>('SELECT topic, partition, last_sequence FROM consumer_offset')
    const last = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.last_sequence]))
    const byTopic = new Map<string, bigint>()
    for (const { topic, partition, nextSequence } of targets) {
      const events = nextSequence - 1n - (last.get(`${topic}/${partition}`) ?? -1n)
      if (events > 0n) byTopic.set(topic, (byTopic.get(topic) ?? 0n) + events)
    }
    return [...byTopic].map(([topic, events]) => ({ region, topic, events }))
  }))
  return missing.flat()
}

export class NotSettledError extends Error {
  override readonly name = 'NotSettledError'
  readonly missing: readonly Missing[]

  constructor(missing: readonly Missing[], deadlineMs: number) {
    super(`after ${deadlineMs} ms still missing: ${missing.map(({ region, topic, events }) => `${events} of ${topic} in ${region}`).join(', ')}`)
    this.missing = missing
  }
}

/**
 * Waits until every replica has taken everything that was acknowledged before the call.
 * @throws NotSettledError naming what is missing where
 */
export async function settled(replicas: readonly Replica[], deadlineMs: number, onMissing: (missing: readonly Missing[]) => void = () => {}): Promise<void> {
  const deadline = performance.now() + deadlineMs
  const targets = await readTargets(replicas)
  for (;;) {
    const missing = await readMissing(replicas, targets)
    if (missing.length === 0) return
    onMissing(missing)
    if (performance.now() > deadline) throw new NotSettledError(missing, deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function byRegion<T extends { region: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => REGIONS.findIndex((one) => one === a.region) - REGIONS.findIndex((one) => one === b.region))
}
