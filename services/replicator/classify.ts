import type { Codec } from '@hub/runtime/codec'
import type { Message } from '@hub/runtime/kafka'
import { classifyEvent, type LogPlace } from '@hub/schemas/log-event'
import { keyOfTechnical } from './handlers/index.ts'
import type { Item } from '@hub/schemas/log-item'

export type { LogPlace } from '@hub/schemas/log-event'

/**
 * What one event of a partition is: see `classifyEvent` of the schemas, which every reader of the log shares.
 * @returns a promise when the event's schema is being asked for: call again when it settled.
 */
export function classify(codec: Codec, place: LogPlace, message: Message, logEnd: number): Item | Promise<void> {
  return classifyEvent(codec, place, message, logEnd, keyOfTechnical)
}
