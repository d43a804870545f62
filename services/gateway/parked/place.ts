import { Problem } from '@hub/runtime/http'

/** Where an event stands on the log. */
export interface ParkedPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

const MAX_BIGINT = 2n ** 63n - 1n

/** The cursor of a list of parked events: the place of its last. */
export function cursorOf({ topic, partition, offset }: ParkedPlace): string {
  return `${topic}/${partition}/${offset}`
}

/** @throws Problem for what is no cursor */
export function placeOfCursor(cursor: string | undefined): ParkedPlace | undefined {
  if (cursor === undefined) return undefined
  const [, topic, partition, offset] = /^([\w.-]{1,249})\/(\d{1,9})\/(\d{1,19})$/.exec(cursor) ?? []
  if (topic === undefined || BigInt(offset!) > MAX_BIGINT) throw new Problem(400, 'CURSOR_INVALID', '游标不对 · the cursor is not valid', 'Use `next` of the page before as it is.')
  return { topic, partition: Number(partition), offset: BigInt(offset!) }
}
