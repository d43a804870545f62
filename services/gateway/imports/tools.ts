import type { KeyObject } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventInput } from '@hub/connectors/event-input'
import type { ImportVerdict, Place } from '@hub/connectors/verdict'
import { notifyOutbox, type Db, type DbTx } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { isEnding } from '@hub/schemas/record-rule'
import type { Preparing } from '../publish/prepare.ts'
import type { PreparedEvent } from '../publish/publish-batch.ts'
import { publishIn } from '../publish/publisher.ts'
import type { Figures, RowVerdict } from './figures.ts'

/** What an import works with. */
export interface Tools {
  readonly db: Db
  readonly preparing: Preparing
  /** Secret of the region for hashes of report and order numbers. */
  readonly key: KeyObject
  readonly log: Log
  readonly stop: AbortSignal
  /** Resolves when the outbox has room for what a batch publishes, or at the stop. */
  room(): Promise<void>
  /** Rings the bell of the outbox. */
  onPublished(): void
  /** Is told after each batch. */
  onProgress(position: number, figures: Figures): void
  /** Is told the first rows of a rehearsal: for the one who imports, and nowhere kept. */
  onPreview(rows: readonly PreviewRow[]): void
  /** Is told what each row of a rehearsal comes to; an earlier one again where a later one has changed it. */
  onRow?(verdict: RowVerdict): void
  /** Makes sure, in the transaction given, that no other process imports for this source. Throws otherwise. */
  fence(client: DbTx): Promise<void>
}

/** A row as it was understood. */
export interface PreviewRow {
  readonly place: Place
  readonly verdict: ImportVerdict
  readonly event?: EventInput
  /** As in `RowVerdict`. */
  readonly problems: string | null
}

const RETRY_MS = 500

/** Publishes events of an import that no row of it tells, in one transaction with what is remembered of them. @returns how many were written */
export async function publishWith(tools: Tools, importId: string, events: PreparedEvent[], remember: (client: DbTx) => Promise<void>): Promise<number> {
  await tools.room()
  const written = await persist(tools, () => tools.db.tx(async (client) => {
    await tools.fence(client)
    const { rows } = await publishIn(client, events, isEnding, importId)
    await remember(client)
    return rows.length
  }))
  failpoint('import.acts-committed')
  if (written > 0) {
    tools.onPublished()
    notifyOutbox(tools.db)
  }
  return written
}

/** Tries again while the database is away: the file stays where it is. */
export async function persist<T>({ stop, log }: Tools, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isTransient(error) || stop.aborted) throw error
      log.warn({ err: error }, 'import waits for the database')
      await delay(RETRY_MS)
    }
  }
}
