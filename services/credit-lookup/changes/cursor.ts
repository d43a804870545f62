import { hash } from 'node:crypto'
import { Problem } from '@hub/runtime/http'

/** The next offset of each topic partition, in the order of the regions and their partitions: the same in every lookup of the hub. */
export type Vector = readonly number[]

const CURSOR = /^([0-9a-f]{8})((?:\.[0-9a-z]{1,11})+)$/

/** Which logs a cursor is of. @param generations of the topic partitions, in their order */
export function logsOf(generations: readonly string[]): string {
  return hash('sha256', generations.join(' '), 'hex').slice(0, 8)
}

/** `<logs>.<next offset>.<next offset>…`, offsets to the base of 36. */
export function cursorText(logs: string, vector: Vector): string {
  return `${logs}.${vector.map((next) => next.toString(36)).join('.')}`
}

/** @throws Problem 400 for what is no cursor, 410 for one of other logs */
export function parseCursor(text: string, logs: string, places: number): number[] {
  const [, of, rest] = CURSOR.exec(text) ?? []
  const vector = rest?.slice(1).split('.').map((digits) => Number.parseInt(digits, 36))
  if (vector?.length !== places || !vector.every(Number.isSafeInteger)) {
    throw new Problem(400, 'CURSOR_INVALID', '游标不对 · the cursor is not valid', 'Use a cursor of this stream or of an answer (`cursor`) as it is.')
  }
  if (of !== logs) throw gone('The logs were created anew.')
  return vector
}

/** The refusal of a cursor after which not everything can be told any more. */
export function gone(why: string): Problem {
  return new Problem(410, 'CURSOR_GONE', '此后的变更已不完整，请重新查询所保存的代码 · what came after this cursor is no longer complete: ask for the codes you keep again',
    `${why} POST /v1/credit/batch with the codes that you keep, and go on from the cursor in the first line of its answer.`)
}
