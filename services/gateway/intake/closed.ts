import type { Db } from '@hub/runtime/db'
import type { Dependency } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'

const LOOK_MS = 1_000

/** Whether the relay has closed the outbox, because this database is older than its own logs. */
export interface Closed extends AsyncDisposable {
  readonly closed: boolean
  health(): Dependency
}

/** Looks every second; what is written in between fails by itself, since nobody can write behind a closed head. */
export function keepClosed(db: Db, log: Log): Closed {
  let reason: string | null = null
  const stop = new AbortController()
  const looking = look()
  return {
    get closed() {
      return reason !== null
    },
    health: () => (reason === null
      ? { name: 'outbox open', ok: true, required: false }
      : { name: 'outbox open', ok: false, required: false, detail: `暂不接受新事件，请运行 hub recover · no new events are taken in, run "hub recover": ${reason}` }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }

  async function look(): Promise<void> {
    for (; !stop.signal.aborted; await pause(LOOK_MS, stop.signal)) {
      const before = reason
      // What was known last holds while the database is silent.
      reason = await readClosed(db).catch(() => before)
      if (reason !== null && before === null) log.error({ reason }, 'the outbox is closed, new events are refused')
      if (reason === null && before !== null) log.info('the outbox is open again')
    }
  }
}

/** Why nobody may write into the outbox now; null as a rule. */
async function readClosed(db: Db): Promise<string | null> {
  const { rows } = await db.query<{ closed: string | null }>('SELECT max(closed) AS closed FROM outbox_head')
  return rows[0]!.closed
}
