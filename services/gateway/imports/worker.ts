import { createSecretKey } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { createDb, releaseLease, renewLease, tryLease } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import type { Region } from '@hub/schemas/streams'
import type { Figures } from './figures.ts'
import { work, type Told } from './job.ts'
import { Superseded } from './pass.ts'
import { openPreparing } from './preparing.ts'
import { changeImport, leaseOf } from './store.ts'
import type { PreviewRow } from './tools.ts'

/** What a worker thread is started with: one import, of which it does what is next. */
export interface WorkerInput {
  readonly region: Region
  readonly topicPrefix: string
  readonly databaseUrl: string
  readonly registryUrl: string
  readonly stateDir: string
  readonly logLevel: string
  readonly id: string
  readonly source: string
  readonly path: string
  readonly secret: Uint8Array
  readonly gateway: string
  readonly mapping: string
}

export type WorkerMessage =
  | { readonly type: 'progress', readonly position: number, readonly figures: Figures }
  | { readonly type: 'preview', readonly rows: readonly PreviewRow[] }
  | { readonly type: 'recognised', readonly told: Told }
  | { readonly type: 'published' }
  | { readonly type: 'log', readonly line: string }

/** What a worker is told: `hold` while the outbox is full, then `go-on`. */
export type WorkerOrder = 'hold' | 'go-on' | 'stop'

/** Longer than a batch and its retries take; the one who has it renews it all the time. */
const LEASE_MS = 20_000
const RENEW_MS = 4_000

const input = workerData as WorkerInput
const port = parentPort!
const say = (message: WorkerMessage): void => port.postMessage(message)
const log = createLog({ service: 'gateway', level: input.logLevel, destination: { write: (line: string) => say({ type: 'log', line }) } }).child({ import: input.id })
const stop = new AbortController()
/** Resolved once the outbox has room again; undefined while it has. */
let held: PromiseWithResolvers<void> | undefined
port.on('message', (order: WorkerOrder) => {
  if (order === 'hold') return void (held ??= Promise.withResolvers())
  held?.resolve()
  held = undefined
  if (order === 'stop') stop.abort()
})

await using db = createDb({ url: input.databaseUrl, name: 'gateway-import', max: 2, log, answerMs: 30_000 })
// One import of a source at a time, whatever gateway has its file.
const lease = await tryLease(db, leaseOf(input.source), input.gateway, LEASE_MS)
if (lease !== undefined) {
  const renewing = setInterval(() => void renewLease(db, lease, LEASE_MS).catch(() => {}), RENEW_MS)
  try {
    await work({
      db, log, stop: stop.signal, key: createSecretKey(input.secret), preparing: await openPreparing(input, log),
      async room() {
        if (held !== undefined && !stop.signal.aborted) await held.promise
      },
      onPublished: () => say({ type: 'published' }),
      onProgress: (position, figures) => say({ type: 'progress', position, figures }),
      onPreview: (rows) => say({ type: 'preview', rows }),
      async fence(client) {
        if (!await renewLease(client, lease, LEASE_MS)) throw new Superseded()
      },
    }, input.id, input.path, input.mapping, (told) => say({ type: 'recognised', told }))
  } catch (error) {
    // Stopped in the middle: the next process goes on.
    if (!stop.signal.aborted && !(error instanceof Superseded)) {
      log.error({ err: error }, 'import failed')
      await changeImport(db, input.id, { state: 'failed', problem: 'internal', ended: true }, ['received', 'running', 'reverting']).catch(() => {})
    }
  } finally {
    clearInterval(renewing)
    await releaseLease(db, lease).catch(() => {})
  }
}
port.close()
