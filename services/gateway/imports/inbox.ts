import { createReadStream } from 'node:fs'
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import { Problem } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { eventId } from '../publish/event-id.ts'
import type { Imports } from './imports.ts'
import { reportOf, rowReport } from './report.ts'
import { MAX_TOLD, readConfirmed, readImport, readTold, type ImportRow } from './store.ts'

/** A file is quiet when two looks so far apart see the same size and time. */
const LOOK_MS = 1_000
const SOURCE = /^[a-z0-9][a-z0-9._-]{0,39}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** What office software and transfer programs name files that are not whole yet. */
const UNFINISHED = /^[.~]|\.(part|partial|tmp|crdownload|filepart)$/i
const FOLDERS = ['inbox', 'working', 'done', 'rejected'] as const

/** What cannot be imported although it lies in an inbox. */
const UNREADABLE = {
  'not-a-file': ['不是普通文件（文件夹、链接等）：请直接放入文件', 'is no plain file (a folder, a link …): put the file itself here'],
  unreadable: ['无法读取：请检查文件权限', 'cannot be read: check the rights of the file'],
  'too-large': ['超出大小上限：请拆分文件', 'is larger than allowed: split it'],
} as const

/**
 * Watches `<dir>/<source>/inbox` of every source that has a folder. A file that is quiet is moved to `working/<id of its import>`, which makes it this import's and nobody else's; when
 * the import has ended it goes to `done` or `rejected`, with the report beside it. Whatever moment the process is killed at, the next one finds it by that id: it is imported once.
 * A shape is published without a person where the source has had a confirmed file with the same columns; else the file waits for `confirm`.
 */
export function watchInboxes(dir: string, { db, imports, log }: { db: Db; imports: Imports; log: Log }): AsyncDisposable {
  const stop = new AbortController()
  const busy = new Map<string, Promise<void>>()
  const seen = new Map<string, string>()
  const watching = watch()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await watching
      await Promise.all(busy.values())
    },
  }

  async function watch(): Promise<void> {
    let failing = false
    while (!stop.signal.aborted) {
      try {
        for (const entry of await readdir(dir, { withFileTypes: true })) {
          if (!entry.isDirectory() || !SOURCE.test(entry.name) || busy.has(entry.name)) continue
          const source = entry.name
          busy.set(source, takeNext(source)
            .catch((error: unknown) => { if (!stop.signal.aborted) log.warn({ err: error, source }, 'an inbox could not be worked on, tried again') })
            .finally(() => busy.delete(source)))
        }
        failing = false
      } catch (error) {
        if (!failing) log.error({ err: error, dir }, 'inboxes cannot be read')
        failing = true
      }
      await pause(LOOK_MS, stop.signal)
    }
  }

  async function takeNext(source: string): Promise<void> {
    const at = (folder: typeof FOLDERS[number]): string => join(dir, source, folder)
    for (const folder of FOLDERS) await mkdir(at(folder), { recursive: true })
    // What an earlier process, or this one, has begun comes first.
    for (const id of (await readdir(at('working'))).filter((name) => UUID.test(name)).sort()) {
      const [name] = await readdir(join(at('working'), id))
      if (name === undefined) await rm(join(at('working'), id), { recursive: true, force: true })
      else await finish(source, id, name)
      if (stop.signal.aborted) return
    }
    for (const name of (await readdir(at('inbox'))).sort()) {
      if (stop.signal.aborted) return
      if (UNFINISHED.test(name)) continue
      const path = join(at('inbox'), name)
      const found = await lstat(path, { bigint: true }).catch(() => undefined)
      if (found === undefined) continue
      if (!found.isFile()) {
        await reject(source, path, name, 'not-a-file')
        continue
      }
      const now = `${found.size} ${found.mtimeNs} ${found.ino}`
      if (seen.get(path) !== now) {
        seen.set(path, now)
        continue
      }
      seen.delete(path)
      const id = eventId(Date.now())
      await mkdir(join(at('working'), id))
      await rename(path, join(at('working'), id, name))
      failpoint('import.inbox-moved')
      await finish(source, id, name)
    }
  }

  /** Imports a file that is under its id, or finds what became of it, and puts it where it belongs. */
  async function finish(source: string, id: string, name: string): Promise<void> {
    const path = join(dir, source, 'working', id, name)
    if (await readImport(db, id) === undefined) {
      try {
        await imports.receive({ id: 'inbox', authorities: ['*'] }, { id, source, file: name, dryRun: false }, createReadStream(path, { highWaterMark: 256 * 1024 }))
      } catch (error) {
        if (error instanceof Problem && error.status === 413) return await rejectWorking(source, id, path, name, 'too-large')
        if ((error as NodeJS.ErrnoException).code === 'EACCES') return await rejectWorking(source, id, path, name, 'unreadable')
        // No room or no database now: it is looked at again.
        if (isTransient(error) || error instanceof Problem) return
        throw error
      }
    }
    const row = await imports.settled(id, stop.signal)
    if (row.state === 'waiting-confirmation') {
      if (await isKnown(row)) await imports.confirm(id)
      return
    }
    if (row.state !== 'done' && row.state !== 'failed' && row.state !== 'reverted') return
    const { verdicts, rows } = row.figures
    const nothing = row.state === 'failed' || (rows > 0 && rows === (verdicts.refused ?? 0) + (verdicts.skipped ?? 0))
    const told = await readTold(db, id, undefined, MAX_TOLD)
    await put(source, nothing ? 'rejected' : 'done', path, name, id, { ...reportOf(row, {}), problems: told.map(rowReport) })
    await rm(join(dir, source, 'working', id), { recursive: true, force: true })
  }

  /** Whether a person has confirmed, for this source, a file with the same shape and columns. */
  async function isKnown({ source, shape, recognised }: ImportRow): Promise<boolean> {
    const columns = JSON.stringify(recognised?.columns)
    return (await readConfirmed(db, source, shape!)).some((one) => JSON.stringify(one.columns) === columns)
  }

  async function rejectWorking(source: string, id: string, path: string, name: string, code: keyof typeof UNREADABLE): Promise<void> {
    await reject(source, path, name, code)
    await rm(join(dir, source, 'working', id), { recursive: true, force: true })
  }

  async function reject(source: string, path: string, name: string, code: keyof typeof UNREADABLE): Promise<void> {
    const [zh, en] = UNREADABLE[code]
    await put(source, 'rejected', path, name, eventId(Date.now()), { file: name, state: 'failed', problem: { code, zh, en } })
    log.warn({ source, code }, 'something in an inbox cannot be imported')
  }

  /** The report first: a file in its place without one would look forgotten. Names that are taken get the id before them. */
  async function put(source: string, folder: 'done' | 'rejected', path: string, name: string, id: string, report: object): Promise<void> {
    const target = join(dir, source, folder)
    const free = await lstat(join(target, name)).then(() => `${id}-${name}`, () => name)
    await writeFile(join(target, `${free}.report.json`), `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
    failpoint('import.inbox-reported')
    await rename(path, join(target, free))
    failpoint('import.inbox-put')
  }
}
