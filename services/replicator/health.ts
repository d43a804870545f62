import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Dependency } from '@hub/runtime/http'
import type { Partitions } from './partitions.ts'

const DATABASE_DEADLINE_MS = 2_000

/** Database, broker and partitions that stand still, each with what to do where it is not well. */
export function replicatorHealth(db: Db, partitions: Partitions, logFault: () => string | undefined): () => Promise<Dependency[]> {
  return async () => {
    const silent = await within(db.query('SELECT 1'), DATABASE_DEADLINE_MS).then(() => undefined, (error: unknown) => (error instanceof Error ? error.message : String(error)))
    const fault = logFault()
    const stopped = [...partitions.stopped]
    return [
      silent === undefined
        ? { name: 'replica database', ok: true }
        : { name: 'replica database', ok: false, detail: `数据库未应答，副本停止更新，恢复后自动继续 · the database does not answer (${silent}); applying goes on by itself when it does` },
      fault === undefined
        ? { name: 'replica broker', ok: true }
        : { name: 'replica broker', ok: false, detail: `无法读取日志，副本停止更新，恢复后自动继续 · the logs cannot be read (${fault}); goes on by itself when they can` },
      stopped.length === 0
        ? { name: 'replica partitions', ok: true }
        : { name: 'replica partitions', ok: false, detail: stopped.map(([key, { code, text }]) => `${key} ${code}: ${text}`).join('; ') },
    ]
  }
}
