import type { DbTx } from '@hub/runtime/db'
import type { TechnicalItem } from '@hub/schemas/log-item'
import { announcementActHandler } from './announcement-act.ts'
import { checkpointHandler } from './checkpoint.ts'
import type { Here, TechnicalHandler } from './handler.ts'
import { parkedEventHandler } from './parked-event.ts'
import { positionHandler } from './position.ts'
import { sourceStatusHandler } from './source-status.ts'

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
