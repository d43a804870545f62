import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import { todayInShanghai } from '@hub/schemas/visibility'
import { breathe } from '../intake/breathe.ts'
import { decodeBody } from '../read/record-view.ts'
import { itemOf } from './changes.ts'
import { cursorText } from './cursor.ts'
import { ReaderGone, send } from '@hub/runtime/send'
import { grantOf, isShown, type Selection } from './selection.ts'
import { beginSnapshot, readCurrentRows, type RecordKey, type Tip } from './store.ts'

const PAGE_ROWS = 500
const PAGE_BYTES = 512 * 1024
/** A snapshot holds one state of the database as long as it takes. */
const LIFE_MS = 15 * 60_000

export interface SnapshotOptions {
  readonly db: Db
  readonly codec: Codec
  readonly selection: Selection
  /** What the first line says beside replica, cursor and time. */
  readonly head: Record<string, unknown>
  readonly gzip: boolean
  /** How long a reader may leave its connection full. */
  readonly stallMs: number
  readonly closing: AbortSignal
  /** Called when the database has answered, before the first byte. */
  readonly onStart: (tip: Tip) => void
}

/**
 * Sends every current record that the reader may see, of one state of the replica, as NDJSON: a head with the cursor to go on from, a record a line,
 * and `{"summary"}` with their number and the SHA-256 of their lines. Without the summary it is not whole. @throws ReaderGone, DbError
 */
export async function sendSnapshot(to: ServerResponse, { db, codec, selection, head, gzip, stallMs, closing, onStart }: SnapshotOptions): Promise<number> {
  const until = AbortSignal.any([closing, AbortSignal.timeout(LIFE_MS)])
  return db.tx(async (c) => {
    const { tip, at } = await beginSnapshot(c)
    const today = todayInShanghai()
    onStart(tip)
    const out = gzip ? gzipTo(to) : to
    const digest = createHash('sha256')
    const cursor = cursorText(tip)
    let count = 0
    await send(out, `${JSON.stringify({ head: { replica: tip.replica, cursor, at: at.toISOString(), ...head } })}\n`, stallMs)
    let after: RecordKey = { region: selection.region ?? '', recordId: '' }
    for (;;) {
      if (until.aborted || to.destroyed) throw new ReaderGone(false)
      const rows = await readCurrentRows(c, selection.stream, after, selection.region ?? null, PAGE_ROWS, PAGE_BYTES)
      if (rows.length === 0) break
      const lines: string[] = []
      for (const row of rows) {
        await breathe()
        const version = await decodeBody(codec, row.body)
        const grant = grantOf(selection, version, today)
        if (isShown(grant)) lines.push(`${JSON.stringify(itemOf(row, version, grant, selection))}\n`)
      }
      after = rows.at(-1)!
      if (lines.length === 0) continue
      const bytes = Buffer.from(lines.join(''))
      digest.update(bytes)
      count += lines.length
      await send(out, bytes, stallMs)
    }
    await send(out, `${JSON.stringify({ summary: { records: count, sha256: digest.digest('hex'), cursor } })}\n`, stallMs)
    out.end()
    return count
  })
}

function gzipTo(to: ServerResponse): Writable {
  const gzip = createGzip({ level: 1 })
  // Who writes finds the connection closed.
  to.once('close', () => gzip.destroy())
  gzip.on('error', () => to.destroy())
  gzip.pipe(to)
  return gzip
}
