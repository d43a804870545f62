import type { DbTx } from '@hub/runtime/db'
import type { TechnicalItem } from '@hub/schemas/log-item'
import { announcementActHandler } from './announcement-act.ts'
import { checkpointHandler } from './checkpoint.ts'
import { parkedEventHandler } from './parked-event.ts'
import { positionHandler } from './position.ts'
import { sourceStatusHandler } from './source-status.ts'

/** Whose replica this is, and what stands before the topic names on this broker. */
export interface Here {
  readonly region: string
  readonly topicPrefix: string
}

/** What the regions tell each other of replicas, sources and joint announcements, one file per event. */
export interface TechnicalHandler<T> {
  readonly contract: string
  /** The Kafka key such an event has. */
  key(record: T): string
  /** Takes events in the order of their logs, inside the applier's transaction. */
  apply(c: DbTx, here: Here, records: readonly T[]): void
}

const HANDLERS: readonly TechnicalHandler<never>[] = [positionHandler, checkpointHandler, parkedEventHandler, sourceStatusHandler, announcementActHandler]

/** Undefined for a contract without a handler. */
export function keyOfTechnical(contract: string, record: unknown): string | undefined {
  return HANDLERS.find((handler) => handler.contract === contract)?.key(record as never)
}

export function applyTechnical(c: DbTx, here: Here, items: readonly TechnicalItem[]): void {
  if (items.length === 0) return
  for (const handler of HANDLERS) {
    const records = items.filter(({ contract }) => contract === handler.contract).map(({ record }) => record as never)
    if (records.length > 0) handler.apply(c, here, records)
  }
}
