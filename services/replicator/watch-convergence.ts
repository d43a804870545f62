import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { pause } from '@hub/runtime/pause'
import { REGIONS } from '@hub/schemas/streams'
import { judgePartition, PARTITION_VERDICTS, type PartitionVerdict } from './convergence.ts'
import { readCuts, writeConvergence } from './store/convergence.ts'

/** Checkpoints come once a minute. */
const EVERY_MS = 15_000

/** Compares the checkpoints of the four regions again and again, until `signal` fires; for the process that applies. */
export async function watchConvergence(options: { db: Db; metrics: Metrics; log: Log }, signal: AbortSignal): Promise<void> {
  const { db, log } = options
  const gauge = options.metrics.gauge('hub_replicator_partition_verdicts', 'Partitions by how the four replicas stand to each other, as of the newest common checkpoint', ['verdict'])
  const known = new Map<string, PartitionVerdict>()
  let failing = false
  while (!signal.aborted) {
    try {
      const found = (await readCuts(db, REGIONS)).map(({ topic, partition, generation, completeFrom, cuts }) => ({ topic, partition, ...judgePartition(REGIONS, generation, completeFrom, cuts) }))
      await writeConvergence(db, found)
      for (const verdict of PARTITION_VERDICTS) gauge.set({ verdict }, found.filter((one) => one.verdict === verdict).length)
      for (const { topic, partition, verdict, nextOffset, regions } of found) {
        const key = `${topic}/${partition}`
        const alarm = verdict === 'different' || verdict === 'parked sets differ'
        if (alarm && known.get(key) !== verdict) log.error({ topic, partition, verdict, nextOffset, digests: Object.fromEntries(regions.map(({ region, digest }) => [region, digest])) }, 'the replicas are not the same')
        known.set(key, verdict)
      }
      failing = false
    } catch (error) {
      if (!failing) log.warn({ err: error }, 'cannot compare the checkpoints now')
      failing = true
    }
    await pause(EVERY_MS, signal)
  }
  gauge.reset()
}
