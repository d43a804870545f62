import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Dependency } from '@hub/runtime/http'
import { readPositions } from './store.ts'

const DATABASE_DEADLINE_MS = 2_000

/** Database, broker and paused partitions, each with what to do where it is not well. */
export function relayHealth(db: Db, topics: readonly string[], brokerFault: () => string | undefined): () => Promise<Dependency[]> {
  return async () => {
    const positions = await within(readPositions(db, topics), DATABASE_DEADLINE_MS).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
    const fault = brokerFault()
    const paused = typeof positions === 'string' ? [] : positions.filter(({ pausedReason }) => pausedReason !== null)
    return [
      typeof positions === 'string'
        ? { name: 'relay database', ok: false, detail: `数据库未应答，转发停止，恢复后自动继续 · the database does not answer (${positions}); sending goes on by itself when it does` }
        : { name: 'relay database', ok: true },
      fault === undefined
        ? { name: 'relay broker', ok: true }
        : { name: 'relay broker', ok: false, detail: `Kafka 未确认，事件保留在发件箱 · the broker does not confirm (${fault}); events wait in the outbox, nothing is lost` },
      paused.length === 0
        ? { name: 'relay partitions', ok: true }
        : { name: 'relay partitions', ok: false, detail: paused.map(({ topic, partition, pausedReason }) => `${topic}/${partition} ${pausedReason}`).join('; ') },
    ]
  }
}
