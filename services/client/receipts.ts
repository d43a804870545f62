import type { Region } from '@hub/schemas/streams'
import { setTimeout as pause } from 'node:timers/promises'
import type { Receipt } from './answers.ts'
import { GatewayError } from './gateway-error.ts'
import type { Transport } from './transport.ts'

export interface WaitOptions {
  /** Longest wait, ms; 30 000 by default. */
  readonly deadlineMs?: number
  /** The regions that are waited for; all by default. */
  readonly regions?: readonly Region[]
  readonly signal?: AbortSignal
}

const FIRST_LOOK_MS = 50
const LATER_LOOK_MS = 1_000

export function receipts(transport: Transport): {
  /** Where an event that this gateway's region published stands, and which regions have it. */
  receipt(eventId: string): Promise<Receipt>
  /** Asks until no region waits for the event any more: it has `arrived` there, is `superseded`, or was `parked`. @throws GatewayError `DEADLINE`, with the last receipt in `more` */
  waitUntilArrived(eventId: string, options?: WaitOptions): Promise<Receipt>
} {
  const receipt = (eventId: string, signal?: AbortSignal): Promise<Receipt> => transport.json<Receipt>(`/v1/receipts/${encodeURIComponent(eventId)}`, { signal })
  return {
    receipt: (eventId) => receipt(eventId),
    async waitUntilArrived(eventId, { deadlineMs = 30_000, regions, signal } = {}) {
      const deadline = performance.now() + deadlineMs
      for (let look = FIRST_LOOK_MS; ; look = Math.min(look * 1.5, LATER_LOOK_MS)) {
        const last = await receipt(eventId, signal)
        const waiting = last.regions.filter(({ region, state }) => state === 'waiting' && (regions?.includes(region) ?? true)).map(({ region }) => region)
        if (waiting.length === 0) return last
        if (performance.now() + look > deadline) {
          throw new GatewayError(transport.gateway, { code: 'DEADLINE', title: `${deadlineMs} ms 内未到达 ${waiting.join('、')} · not in ${waiting.join(', ')} within ${deadlineMs} ms`, detail: 'It is durable and will arrive: ask again later.', more: { receipt: last } })
        }
        await pause(look, undefined, { ...(signal && { signal }) })
      }
    },
  }
}
