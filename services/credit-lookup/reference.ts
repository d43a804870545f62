/** References are places in the details, counted in units of 16 bytes; both tables hold 37 bits of them: 2 TiB. */
export const REFERENCE_BITS = 37
export const MAX_REFERENCE = 2 ** REFERENCE_BITS - 1
/** Its low 32 bits are never 0: a file's first unit is its header. */
export function isReference(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value <= MAX_REFERENCE && value % 2 ** 32 !== 0
}
