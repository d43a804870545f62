import { createSecretKey } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { createDb } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import { openPreparing } from '../preparing.ts'
import type { ImportRow } from '../store.ts'
import type { WorkerInput } from '../worker.ts'
import { CannotMark, mark } from './mark.ts'

/** What the thread is started with: the file, and the import that it would be. */
export type MarkInput = Pick<WorkerInput, 'region' | 'topicPrefix' | 'databaseUrl' | 'registryUrl' | 'stateDir' | 'path' | 'secret'> & { readonly row: ImportRow }

/** `bytes` of the workbook; the next come when they are asked for. */
export type MarkMessage =
  | { readonly type: 'bytes', readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | { readonly type: 'cannot', readonly code: string, readonly reason: readonly [zh: string, en: string] }

const input = workerData as MarkInput
const port = parentPort!
const say = (message: MarkMessage): void => port.postMessage(message)
const log = createLog({ service: 'gateway', level: 'silent' })

await using db = createDb({ url: input.databaseUrl, name: 'gateway-marked', max: 1, log, answerMs: 30_000 })
const asked = { wake: (): void => {} }
port.on('message', () => asked.wake())
const to = new WritableStream<Uint8Array>({
  async write(bytes) {
    const more = new Promise<void>((resolve) => { asked.wake = resolve })
    say({ type: 'bytes', bytes })
    await more
  },
})
try {
  await mark({
    db, log, stop: new AbortController().signal, key: createSecretKey(input.secret), preparing: await openPreparing(input, log),
    async room() {}, onPublished() {}, onProgress() {}, onPreview() {},
    async fence() { throw new Error('a rehearsal writes nothing') },
  }, input.row, input.path, to)
  say({ type: 'end' })
} catch (error) {
  if (!(error instanceof CannotMark)) throw error
  say({ type: 'cannot', code: error.code, reason: error.reason })
} finally {
  port.close()
}
