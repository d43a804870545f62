import { isIdentityShaped } from '@hub/schemas/identity'
import { normaliseRegNo } from '@hub/schemas/reg-no'
import { normaliseCode, normaliseUscc } from '@hub/schemas/uscc'

/** What can be asked for: a unified social credit code, or the registration number of older documents. */
export type Asked =
  | { readonly ok: true; readonly code: string; /** Both check characters hold; genuinely issued codes may fail. */ readonly checkHolds: boolean; readonly regNo?: undefined }
  | { readonly ok: true; readonly regNo: string; readonly checkHolds: boolean; readonly code?: undefined }

/** What can be asked for, or what is wrong with it; for people in Chinese, English beside it. The text never repeats what was sent. */
export type Question = Asked | { readonly ok: false; readonly reason: 'identity-shaped' | 'wrong-length' | 'wrong-character'; readonly text: string }

const LENGTH = 18
/** Longest text that is looked at: a code with something between every two characters. */
const LONGEST = 64
const WRITTEN = /^(?=\d{0,16}[A-Z])[0-9ABCDEFGHJKLMNPQRTUWXY]{18}$/
const OUTSIDE = /[^0-9ABCDEFGHJKLMNPQRTUWXY]/u

/**
 * Reads what somebody typed or sent: lower case, full width, spaces and hyphens do not matter.
 * @param today `YYYY-MM-DD`; see `isIdentityShaped`
 */
export function readQuestion(raw: string, today: string): Question {
  // What has a letter among its first 17 characters is nobody's number, and most codes are written as they are read.
  if (WRITTEN.test(raw)) return { ok: true, code: raw, checkHolds: normaliseUscc(raw)!.valid }
  if (raw.length > LONGEST) return wrong('wrong-length', `统一社会信用代码为 18 位，收到的内容有 ${raw.length} 个字符 · a code has 18 characters, this has ${raw.length}`)
  if (isIdentityShaped(raw, today)) {
    return wrong('identity-shaped', '内容形似公民身份号码，不查询也不记录；个体工商户请输入其统一社会信用代码 · this looks like a person\'s identity number and was neither looked up nor kept; for a sole trader give its unified social credit code')
  }
  const read = normaliseUscc(raw)
  if (read !== undefined) return { ok: true, code: read.code, checkHolds: read.valid }
  const older = normaliseRegNo(raw)
  if (older !== undefined) return { ok: true, regNo: older.regNo, checkHolds: older.valid }
  const text = [...normaliseCode(raw)]
  if (text.length !== LENGTH) return wrong('wrong-length', `统一社会信用代码为 18 位（注册号 15 位数字），收到 ${text.length} 位 · a code has 18 characters (a registration number 15 digits), this has ${text.length}`)
  const at = text.findIndex((character) => OUTSIDE.test(character)) + 1
  return wrong('wrong-character', `第 ${at} 位不是代码字符：只用数字和大写字母，不用 I、O、S、V、Z · character ${at} is none of a code: digits and letters without I, O, S, V, Z`)
}

function wrong(reason: Extract<Question, { ok: false }>['reason'], text: string): Question {
  return { ok: false, reason, text }
}
