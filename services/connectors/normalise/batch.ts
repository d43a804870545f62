import { dayOf } from './date.ts'

const WRITTEN = /(?<!\d)(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2})(?!\d)/
const COMPACT = /(?<!\d)((?:19|20)\d{6})(?!\d)/
const SERIAL = /^\d{5}$/

/** The day in a cell for a production date or batch; `impossible` where one is written that does not exist. Batch numbers and months hold none. */
export function batchDay(text: string): { readonly day?: string, readonly impossible?: true } {
  const written = WRITTEN.exec(text)?.[1] ?? (SERIAL.test(text) ? text : undefined)
  const day = dayOf(written ?? COMPACT.exec(text)?.[1] ?? '')
  if (day !== undefined) return { day }
  return written === undefined || SERIAL.test(text) ? {} : { impossible: true }
}
