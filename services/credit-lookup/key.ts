import { normaliseRegNo } from '@hub/schemas/reg-no'
import { normaliseUscc } from '@hub/schemas/uscc'

/** Before a registration number where it stands for a code: no code begins with X. */
const REG_NO = 'XXX'

/** What a record is found by: its code, else its 15-digit registration number in the form of one. */
export function keyOfSubject(uscc: unknown, regNo: unknown): string | undefined {
  const code = typeof uscc === 'string' ? normaliseUscc(uscc)?.code : undefined
  if (code !== undefined) return code
  const number = typeof regNo === 'string' ? normaliseRegNo(regNo)?.regNo : undefined
  return number === undefined ? undefined : keyOfRegNo(number)
}

export function keyOfRegNo(regNo: string): string {
  return REG_NO + regNo
}

/** Whether a key is a unified social credit code. */
export function isCode(key: string): boolean {
  return key !== '' && !key.startsWith(REG_NO)
}
