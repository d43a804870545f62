import { normaliseCode } from './uscc.ts'

/**
 * A registration number of the time before the unified codes (GS 15-2006), in its one written form: 15 digits. `undefined` unless that is what is left
 * without spaces and hyphens. `valid` = its check digit holds (ISO 7064, MOD 11,10).
 */
export function normaliseRegNo(raw: string): { regNo: string; valid: boolean } | undefined {
  const regNo = normaliseCode(raw)
  if (!/^\d{15}$/.test(regNo)) return undefined
  let carried = 10
  for (let at = 0; at < 14; at++) carried = ((((carried + Number(regNo[at])) % 10) || 10) * 2) % 11
  return { regNo, valid: (carried + Number(regNo[14])) % 10 === 1 }
}
