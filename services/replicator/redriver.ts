import type { Db } from '@hub/runtime/db'
import { readEvents } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { redriveEvent, type RedriveOptions } from './redrive-event.ts'
import { FencedError, type Lease } from './store/lease.ts'
import { finishRedrive, nextRedrive, type ParkedPlace, readWanted, type RedriveRequest } from './store/redrive.ts'

/** How soon a request is taken up. */
const LOOK_MS = 500
const AGAIN_MS = 10_000
const PAGE = 500
const MOST_TOLD = 100

export interface Redriving extends RedriveOptions {
  readonly db: Db
  readonly groupPrefix: string
  readonly log: Log
}

/** Reads parked events again when an operator asks for it, one transaction each, until `signal` fires. */
export async function redriveWhileHolding(lease: Lease, options: Redriving, signal: AbortSignal): Promise<void> {
  const { db, log } = options
  let failing = false
  while (!signal.aborted) {
    try {
      const request = await nextRedrive(db)
      if (request !== undefined) await serve(lease, options, request, signal)
      failing = false
      await pause(LOOK_MS, signal)
    } catch (error) {
      if (signal.aborted || error instanceof FencedError) return
      if (!failing) log.warn({ err: error }, 'cannot redrive now')
      failing = true
      await pause(AGAIN_MS, signal)
    }
  }
}

/** A request that was begun and not finished, by whatever process, is begun anew: what is parked no more is not asked for again. */
async function serve(lease: Lease, options: Redriving, request: RedriveRequest, signal: AbortSignal): Promise<void> {
  const { db, kafka, groupPrefix, log } = options
  const { id, topic, partition, who, why } = request
  log.info({ topic, partition, offset: request.offset === null ? null : String(request.offset), who, why }, 'redrive on request')
  const redriven: Record<string, number> = {}
  const counts = { parked: 0, gone: 0 }
  const events: object[] = []
  for (let after: ParkedPlace | undefined; ;) {
    const places = await readWanted(db, request, after, PAGE)
    after = places.at(-1)
    if (after === undefined) break
    for (const group of Map.groupBy(places, (place) => `${place.topic}/${place.partition}`).values()) {
      await readEvents(kafka, groupPrefix, group[0]!, group.map(({ offset }) => offset), async (offset, message) => {
        const place = { ...group[0]!, offset }
        const result = await redriveEvent(lease, options, place, message, { who, why })
        if (result === undefined) return
        if (result.result === 'redriven') redriven[result.class] = (redriven[result.class] ?? 0) + 1
        else counts[result.result]++
        if (events.length < MOST_TOLD) events.push({ topic: place.topic, partition: place.partition, offset: String(offset), ...result })
      }, signal)
    }
  }
  await finishRedrive(db, id, { redriven, ...counts, events })
}
