import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { judge, type GenesisWatch } from './genesis.ts'
import type { RelayMetrics } from './metrics.ts'
import { reasonOf, type OwnPartition, type Pause } from './partition.ts'
import { writeStanding } from './store.ts'

export interface Standing {
  /** The partitions that may be sent to now, those on probation included; writes down what has changed since the last call. */
  usable(): Promise<OwnPartition[]>
  /** Those of them that move: no fault waits for its retry. */
  moving(): OwnPartition[]
}

/**
 * Keeps who may move and who may not, in the database, the log and the metric alike.
 * @param check looks at partitions before they are used for the first time; throws where that must not be
 */
export function createStanding(partitions: readonly OwnPartition[], genesis: GenesisWatch, db: Db, metrics: RelayMetrics, log: Log, check: (fresh: readonly OwnPartition[]) => Promise<void>): Standing {
  async function note(partition: OwnPartition, generation: string | null, pause: Pause | undefined): Promise<void> {
    const shown = pause === undefined ? null : reasonOf(pause)
    if (partition.shown === shown && partition.generation === generation) return
    const fields = { topic: partition.topic, partition: partition.partition }
    if (pause !== undefined) log.error({ ...fields, code: pause.code, reason: pause.text }, 'partition paused')
    else if (partition.shown !== null) log.info(fields, 'partition goes on')
    Object.assign(partition, { shown, generation })
    await writeStanding(db, partition)
  }

  return {
    async usable() {
      const now = performance.now()
      const usable: OwnPartition[] = []
      const paused = new Map<string, number>()
      const judged = partitions.map((partition) => ({ partition, verdict: judge(genesis.of(partition.topic, partition.partition), partition) }))
      const fresh = judged.flatMap(({ partition, verdict }) => (verdict.usable && !partition.checked ? [partition] : []))
      if (fresh.length > 0) {
        await check(fresh)
        for (const partition of fresh) partition.checked = true
      }
      for (const { partition, verdict } of judged) {
        const pause = verdict.usable ? partition.fault?.pause : verdict.pause
        await note(partition, verdict.usable ? verdict.generation : partition.generation, pause)
        if (pause !== undefined) paused.set(pause.code, (paused.get(pause.code) ?? 0) + 1)
        if (verdict.usable && (partition.fault === undefined || now >= partition.fault.retryAt)) usable.push(partition)
      }
      metrics.paused.reset()
      for (const [reason, count] of paused) metrics.paused.set({ reason }, count)
      return usable
    },
    moving: () => partitions.filter((partition) => partition.checked && partition.shown === null && partition.fault === undefined && judge(genesis.of(partition.topic, partition.partition), partition).usable),
  }
}
