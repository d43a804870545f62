import { halfWidth } from './cell.ts'

const AMOUNT = /^[¥￥]?\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?\s*(万)?元?$/

/** Fen of an amount as written (`1,420.77`, `233.65元`, `1.2万元`); `undefined` = none, or not to be read. */
export function fenOf(text: string): number | undefined {
  const match = AMOUNT.exec(halfWidth(text).replace(/，/g, ',').trim())
  if (match === null) return undefined
  const [, whole, fraction = '', tenThousand] = match
  const places = tenThousand === undefined ? 2 : 6
  const fen = Number(`${whole!.replaceAll(',', '')}${fraction.slice(0, places).padEnd(places, '0')}`)
  return Number.isSafeInteger(fen) ? fen : undefined
}
