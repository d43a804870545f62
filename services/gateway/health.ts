import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Dependency } from '@hub/runtime/http'

const DATABASE_DEADLINE_MS = 2_000

/** The gateway needs its database alone: contracts were known before it began to listen, and the broker is the relay's. */
export async function gatewayHealth(db: Db): Promise<Dependency[]> {
  const fault = await within(db.query('SELECT 1'), DATABASE_DEADLINE_MS).then(() => undefined, (error: unknown) => (error instanceof Error ? error.message : String(error)))
  return [
    fault === undefined
      ? { name: 'gateway database', ok: true }
      : { name: 'gateway database', ok: false, detail: `数据库未应答，暂不能发布 · the database does not answer (${fault}); nothing can be published until it does` },
  ]
}
