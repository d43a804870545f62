import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { containsIdentity } from '@hub/schemas/identity'
import type { Region } from '@hub/schemas/streams'
import type { Db } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import { Problem, type Caller } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { startThread } from '@hub/runtime/thread'
import { createWakeup, type Wakeup } from '@hub/runtime/wakeup'
import { eventId, lowestId } from '../publish/event-id.ts'
import { NO_FIGURES } from './figures.ts'
import type { Live } from './live.ts'
import { markedWorkbook } from './marked/marking.ts'
import { mappingFingerprint, readSecret } from './secret.ts'
import { changeImport, insertImport, isTaken, readImport, readOpen, readWritten, trimTold, type ImportRow, type NewImport, type State, type Written } from './store.ts'
import { store } from './upload.ts'
import type { WorkerInput, WorkerMessage, WorkerOrder } from './worker.ts'

const LOOK_MS = 1_000
/** Files in work or waiting for it, of one source and of all. */
const MAX_OPEN = { source: 16, all: 64 } as const
const WORKERS = 2
/** Files whose workbook is being made. */
const MARKED_AT_ONCE = 2
/** Of a file that is marked and never an import: what its rehearsal is told. */
const NEVER_STORED = {
  dryRun: true, confirmed: false, recognised: null, mapping: null, state: 'running', position: 0, figures: NO_FIGURES, repeats: null, problem: null, absent: null, absenceConfirmed: false, started: null, ended: null,
} as const
/** How long a file waits for a person. */
const CONFIRM_MS = 24 * 3_600_000
const KEPT_MS = 90 * 24 * 3_600_000
const STOP_MS = 4_000
/** Of a worker thread: what is young and old together, besides buffers. */
const HEAP_MB = 320
const MAX_REMEMBERED = 200

/** A finished import: what it wrote, the highest sequence per partition. */
export interface Finished {
  readonly row: ImportRow
  readonly written: readonly Written[]
}

export interface Handed {
  readonly source: string
  /** Name of the file, for the person. */
  readonly file: string
  readonly encoding?: 'utf-8' | 'gb18030' | undefined
  readonly delimiter?: ',' | ';' | '\t' | undefined
  /** Named by the person; without it the shape is guessed and has to be confirmed. */
  readonly shape?: string | undefined
  readonly dryRun: boolean
  /** Where the same file may be handed over twice by the same hand: the second time the import of the first is meant. */
  readonly id?: string
}

export interface Imports extends AsyncDisposable {
  /** Takes a file in; it is durable when this resolves. */
  receive(caller: Pick<Caller, 'id' | 'authorities'>, handed: Handed, chunks: AsyncIterable<Uint8Array>): Promise<string>
  /**
   * A workbook of a file's rows, each with what it would come to, in pieces: nothing is published.
   * @param signal ends it, and the file is gone then: whoever asks gives it in any case
   * @throws Problem 422 where it cannot be read, 429 where others are being marked
   */
  mark(caller: Pick<Caller, 'id' | 'authorities'>, handed: Omit<Handed, 'dryRun' | 'id'>, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array>>
  /** Resolves with an import that is at rest: ended, or waiting for a person. */
  settled(id: string, signal: AbortSignal): Promise<ImportRow>
  /** @throws Problem 409 where it does not wait for that */
  confirm(id: string): Promise<void>
  /** Takes an import back. @throws Problem 409 where it has not ended as `done` or `failed` */
  revert(id: string): Promise<void>
  /** Gives up what waits for a person. */
  cancel(id: string): Promise<void>
  live(id: string): Live
}

export interface ImportOptions {
  readonly db: Db
  readonly region: Region
  readonly topicPrefix: string
  readonly databaseUrl: string
  readonly registryUrl: string
  readonly stateDir: string
  /** File of the region's secret; empty = one in `stateDir`. */
  readonly importSecretFile: string
  readonly logLevel: string
  readonly wakeup: Wakeup
  readonly log: Log
  /** Whether so much waits for the broker that nothing more may be published. */
  readonly outboxFull: () => boolean
  /** Is told before an import is taken back, once or, after a crash, again. */
  readonly onReverting?: (import_: { readonly id: string, readonly source: string }) => Promise<void>
  /** Is told of each import that has published all it will, once or, after a crash, again. */
  readonly onFinished?: (finished: Finished) => Promise<void>
}

/**
 * Imports of one gateway: files wait in `HUB_STATE_DIR/imports`, each is worked on by a worker thread, one of a source at a time over all gateways of the region, and is
 * deleted when the import has ended. What was under way when a process ended goes on in the next.
 */
export async function createImports(options: ImportOptions): Promise<Imports> {
  const { db, log } = options
  const dir = join(options.stateDir, 'imports')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const gateway = await idOf(join(dir, 'gateway'))
  const secret = await readSecret(db, options.importSecretFile || join(options.stateDir, 'import-secret'))
  if (secret === undefined) log.error('the secret for imports is not the one that this region began with: nothing can be imported here')
  const mapping = await mappingFingerprint()
  const pathOf = (id: string): string => join(dir, `${id}.data`)
  const stop = new AbortController()
  const bell = createWakeup()
  const running = new Map<string, { source: string, ended: Promise<void>, worker: Worker }>()
  const live = new Map<string, Live>()
  const waiting = new Map<string, Set<() => void>>()
  let marking = 0
  let holding = false

  await removeLeftovers()
  const looking = look()

  return {
    async receive(caller, handed, chunks) {
      if (secret === undefined) throw secretDiffers()
      const open = await readOpen(db, gateway)
      if (open.length >= MAX_OPEN.all || open.filter(({ source }) => source === handed.source).length >= MAX_OPEN.source) {
        throw new Problem(429, 'TOO_MANY_IMPORTS', '未完成的导入过多，请稍后重试 · too many imports have not ended: try again later', 'Wait for those of this source, and confirm or give up those that wait for you.', { retryAfterSeconds: 10 })
      }
      const id = handed.id ?? eventId(Date.now())
      // A name under which nothing is ever looked for until it is whole.
      const partial = join(dir, `${randomUUID()}.partial`)
      const { bytes, sha256 } = await store(chunks, partial)
      failpoint('import.stored')
      await rename(partial, pathOf(id))
      failpoint('import.placed')
      const row: NewImport = {
        id, gateway, sha256, source: handed.source, caller: caller.id, authorities: caller.authorities, file: nameOf(handed.file), bytes: BigInt(bytes),
        encoding: handed.encoding ?? null, delimiter: handed.delimiter ?? null, dryRun: handed.dryRun, shape: handed.shape ?? null,
      }
      try {
        await insertImport(db, row)
      } catch (error) {
        await rm(pathOf(id), { force: true })
        throw error
      }
      failpoint('import.received')
      bell.signal()
      return id
    },
    async mark(caller, handed, chunks, signal) {
      if (secret === undefined) throw secretDiffers()
      if (marking >= MARKED_AT_ONCE) throw new Problem(429, 'TOO_MANY_IMPORTS', '未完成的导入过多，请稍后重试 · too many imports have not ended: try again later', 'Others have their files marked now.', { retryAfterSeconds: 10 })
      signal.throwIfAborted()
      marking++
      const path = join(dir, `${randomUUID()}.partial`)
      const done = (): void => {
        marking--
        void rm(path, { force: true })
      }
      signal.addEventListener('abort', done, { once: true })
      const { bytes, sha256 } = await store(chunks, path)
      const row = {
        ...NEVER_STORED, id: eventId(Date.now()), gateway, sha256, source: handed.source, caller: caller.id, authorities: caller.authorities, file: nameOf(handed.file), bytes: BigInt(bytes),
        encoding: handed.encoding ?? null, delimiter: handed.delimiter ?? null, shape: handed.shape ?? null, received: new Date(),
      }
      const { region, topicPrefix, databaseUrl, registryUrl, stateDir } = options
      return markedWorkbook({ region, topicPrefix, databaseUrl, registryUrl, stateDir, path, secret, row }, AbortSignal.any([signal, stop.signal]))
    },
    async settled(id, signal) {
      for (;;) {
        const changed = Promise.withResolvers<void>()
        const waiters = waiting.get(id) ?? new Set()
        waiting.set(id, waiters.add(changed.resolve))
        try {
          const row = await readImport(db, id)
          if (row === undefined || signal.aborted || isAtRest(row.state)) return row!
          // Another gateway may have it: its row is looked at now and then.
          await Promise.race([changed.promise, pause(LOOK_MS, signal)])
        } finally {
          waiters.delete(changed.resolve)
          if (waiters.size === 0) waiting.delete(id)
        }
      }
    },
    async confirm(id) {
      // Its rows are in: what is confirmed is what it does not name.
      const change = (await readImport(db, id))?.problem === 'many-absent' ? { absenceConfirmed: true as const } : { confirmed: true, figures: NO_FIGURES }
      if (!await changeImport(db, id, { state: 'received', problem: null, ...change }, ['waiting-confirmation'])) throw wrongState('No person is asked about it: look at its state.')
      bell.signal()
    },
    async revert(id) {
      if (!await changeImport(db, id, { state: 'reverting', gateway }, ['done', 'failed'])) throw wrongState('Only an import that has ended can be taken back, once.')
      bell.signal()
    },
    async cancel(id) {
      if (!await changeImport(db, id, { state: 'failed', problem: 'given-up', ended: true }, ['waiting-confirmation'])) throw wrongState('Only what waits for a person can be given up.')
      bell.signal()
    },
    live: (id) => live.get(id) ?? {},
    async [Symbol.asyncDispose]() {
      stop.abort()
      for (const { worker } of running.values()) worker.postMessage('stop' satisfies WorkerOrder)
      await Promise.race([Promise.all([...running.values()].map(({ ended }) => ended)), pause(STOP_MS, new AbortController().signal)])
      await Promise.all([...running.values()].map(({ worker }) => worker.terminate()))
      bell.signal()
      await looking
    },
  }

  async function look(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        hold()
        await startNext()
      } catch (error) {
        log.warn({ err: error }, 'imports could not be looked at, tried again')
      }
      await bell.wait(LOOK_MS, stop.signal)
    }
  }

  /** What is under way takes no more rows while the outbox is full, and goes on when it has room. */
  function hold(): void {
    const full = options.outboxFull()
    if (full !== holding && running.size > 0) log.warn({ imports: [...running.keys()] }, full ? 'imports wait: the outbox is full' : 'imports go on: the outbox has room')
    holding = full
    for (const { worker } of running.values()) worker.postMessage((full ? 'hold' : 'go-on') satisfies WorkerOrder)
  }

  async function startNext(): Promise<void> {
    if (secret === undefined) return
    const open = await readOpen(db, gateway)
    const present = new Set((await readdir(dir)).filter((name) => name.endsWith('.data')).map((name) => name.slice(0, -'.data'.length)))
    const ids = new Set(open.map(({ id }) => id))
    // Ended, but what follows an end was not done to its end.
    for (const id of present) if (!ids.has(id) && !running.has(id)) await conclude(id, undefined)
    for (const { id, source, state, received } of open) {
      if (running.has(id) || stop.signal.aborted) continue
      if (state !== 'reverting' && !present.has(id)) {
        await changeImport(db, id, { state: 'failed', problem: 'file-lost', ended: true }, [state])
        ring(id)
      } else if (state === 'waiting-confirmation') {
        if (Date.now() - received.getTime() > CONFIRM_MS) await changeImport(db, id, { state: 'failed', problem: 'not-confirmed', ended: true }, [state])
      } else if (running.size < WORKERS && ![...running.values()].some((one) => one.source === source) && !await isTaken(db, source, gateway)) {
        if (state === 'reverting') await options.onReverting?.({ id, source })
        start(id, source, secret)
      }
    }
  }

  function start(id: string, source: string, key: Uint8Array): void {
    const { region, topicPrefix, databaseUrl, registryUrl, stateDir, logLevel } = options
    const workerData: WorkerInput = { region, topicPrefix, databaseUrl, registryUrl, stateDir, logLevel, id, source, path: pathOf(id), secret: key, gateway, mapping }
    const worker = startThread(new URL('./worker.ts', import.meta.url), workerData, { oldMb: HEAP_MB, youngMb: 96 })
    const known: Live = {}
    live.delete(id)
    live.set(id, known)
    if (live.size > MAX_REMEMBERED) live.delete(live.keys().next().value!)
    worker.on('message', (message: WorkerMessage) => hear(message, known))
    let failure: unknown
    worker.on('error', (error) => { failure = error })
    const { promise: exited, resolve } = Promise.withResolvers<void>()
    worker.on('exit', () => resolve())
    const ended = exited.then(() => conclude(id, failure)).catch((error: unknown) => log.warn({ err: error, import: id }, 'the end of an import could not be noted')).finally(() => {
      running.delete(id)
      ring(id)
      bell.signal()
    })
    running.set(id, { source, ended, worker })
    if (options.outboxFull()) worker.postMessage('hold' satisfies WorkerOrder)
  }

  function hear(message: WorkerMessage, known: Live): void {
    switch (message.type) {
      case 'progress':
        known.position = message.position
        known.figures = message.figures
        break
      case 'recognised':
        known.told = message.told
        break
      case 'preview':
        known.preview = message.rows
        break
      case 'published':
        options.wakeup.signal()
        break
      case 'log': {
        const { level, msg, time: _, ...fields } = JSON.parse(message.line) as { level: 'info' | 'warn' | 'error', msg: string, time: string }
        log[level](fields, msg)
      }
    }
  }

  async function conclude(id: string, failure: unknown): Promise<void> {
    if (failure !== undefined && !stop.signal.aborted) {
      const problem = (failure as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out-of-memory' : 'internal'
      log.error({ err: failure, import: id }, 'worker of an import failed')
      await changeImport(db, id, { state: 'failed', problem, ended: true }, ['received', 'running', 'reverting'])
    }
    const row = await readImport(db, id)
    if (row === undefined || stop.signal.aborted && !isAtRest(row.state)) return
    if (row.state !== 'waiting-confirmation' && isAtRest(row.state)) {
      if (row.state === 'done' && !row.dryRun) await options.onFinished?.({ row, written: await readWritten(db, id) })
      failpoint('import.finished')
      await rm(pathOf(id), { force: true })
      log.info({ import: id, source: row.source, shape: row.shape, state: row.state, rows: row.figures.rows, events: row.figures.events }, 'import ended')
      await trimTold(db, lowestId(Date.now() - KEPT_MS))
    } else if (row.state === 'running' || row.state === 'received') {
      // Another gateway imports for this source: its turn comes.
      await pause(LOOK_MS, stop.signal)
    }
  }

  function ring(id: string): void {
    for (const wake of waiting.get(id) ?? []) wake()
  }

  async function removeLeftovers(): Promise<void> {
    for (const name of await readdir(dir)) {
      if (name.endsWith('.partial')) await rm(join(dir, name), { force: true })
      // Durable without its row: the answer was never given.
      else if (name.endsWith('.data') && await readImport(db, name.slice(0, -'.data'.length)) === undefined) await rm(join(dir, name), { force: true })
    }
  }
}

export function isAtRest(state: State): boolean {
  return state === 'done' || state === 'failed' || state === 'reverted' || state === 'waiting-confirmation'
}

function secretDiffers(): Problem {
  return new Problem(503, 'IMPORT_SECRET_DIFFERS', '本网关的导入密钥与本地区不一致，无法导入 · this gateway has another import secret than its region', 'Give it the file import-secret of the gateway that imported first.', { retryAfterSeconds: 600 })
}

function wrongState(todo: string): Problem {
  return new Problem(409, 'IMPORT_STATE', '导入的当前状态不允许此操作 · the import is not in a state for this', todo)
}

const MAX_NAME = 120

/** The name of a file as it may be kept: without folders, and without what may be a person's number. */
function nameOf(file: string): string {
  const name = file.split(/[/\\]/).at(-1)!.replaceAll(/[\u0000-\u001f\u007f]/g, '').slice(-MAX_NAME)
  return containsIdentity(name, '9999-12-31') || /\d{11}/.test(name) ? '…' : name
}

async function idOf(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known
  const made = randomUUID()
  await writeFile(path, made, { mode: 0o600 })
  return made
}
