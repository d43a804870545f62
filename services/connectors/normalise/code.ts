import { containsIdentity, isIdentityShaped } from '@hub/schemas/identity'
import { normaliseCode, normaliseUscc } from '@hub/schemas/uscc'

/** What a cell for a credit code holds. The code is kept only where it is one. */
export type CodeReading =
  | { readonly kind: 'uscc', readonly code: string, readonly valid: boolean, readonly repaired: boolean }
  | { readonly kind: 'regno', readonly code: string }
  | { readonly kind: 'identity' | 'masked' | 'unreadable' }

const MASKED = /[*＊×]{2,}|X{4,}$/i
const REG_NO = /^\d{15}$/

/** @param today `YYYY-MM-DD`, Asia/Shanghai: no identity number has a later birthday */
export function readCode(text: string, today: string): CodeReading {
  if (isIdentityShaped(text, today) || containsIdentity(text, today)) return { kind: 'identity' }
  const found = normaliseUscc(text)
  if (found !== undefined) return { kind: 'uscc', ...found, repaired: false }
  if (MASKED.test(text)) return { kind: 'masked' }
  const code = normaliseCode(text)
  if (REG_NO.test(code)) return { kind: 'regno', code }
  // The letters that the alphabet of codes leaves out are typed for the digits they look like.
  const repaired = normaliseUscc(code.replaceAll('O', '0').replaceAll('I', '1'))
  return repaired?.valid === true ? { kind: 'uscc', ...repaired, repaired: true } : { kind: 'unreadable' }
}

const ENTITY_TYPES: Readonly<Record<string, string>> = { 91: 'enterprise', 92: 'sole-trader', 93: 'cooperative' }

/** By the first two characters (GB 32100-2015). */
export function entityTypeOf(uscc: string | undefined): string | undefined {
  return uscc === undefined ? undefined : ENTITY_TYPES[uscc.slice(0, 2)]
}
