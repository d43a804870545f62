import type { Region } from '@hub/schemas/streams'
import { hash } from 'node:crypto'
import type { Moment, Said } from '../answer.ts'
import type { Question } from '../question.ts'

/** What one page may ask for; whoever has more sends `POST /v1/credit/batch`. */
export const MOST_CODES = 500
/** Codes that are worked on before other requests get their turn. */
export const AT_ONCE = 50
/** A piece longer than a code that has blanks in it is several codes. */
const CODE_LENGTH = 18

/** What was said of one thing that was pasted: an answer, or what is wrong with it. */
export type Line =
  /** `at`: its place among what was pasted, from 1. */
  | { readonly at: number; readonly asked: string; readonly said: Said; readonly wrong?: undefined }
  | { readonly at: number; readonly wrong: string }

/** Everything a page, its print and its workbook tell. */
export interface Result {
  /** Stands for the questions, the answers and how far they reach: other ones have another number. */
  readonly number: string
  /** The region that answers. */
  readonly region: Region
  readonly moment: Pick<Moment, 'at' | 'asOf' | 'incomplete'>
  readonly lines: readonly Line[]
  /** Records of the four regions without a code to be found by. */
  readonly withoutCode: number
  /** JWS of the answer, where one code was asked for and the region signs. */
  readonly proof: string | undefined
}

/** What somebody pasted, in its pieces: lines, list separators, and blanks where they do not stand inside one code. */
export function piecesOf(text: string): string[] {
  return text.split(/[\r\n\t,;，；、]+/).map((piece) => piece.trim()).filter((piece) => piece !== '')
    .flatMap((piece) => (piece.replace(/\s/g, '').length > CODE_LENGTH ? piece.split(/\s+/) : [piece]))
}

/** Each code once, in the order in which it was pasted; what is wrong stays at its place and is not repeated in any text. */
export function distinct(questions: readonly Question[]): { readonly at: number; readonly question: Question }[] {
  const seen = new Set<string>()
  return questions.map((question, n) => ({ at: n + 1, question })).filter(({ question }) => {
    if (!question.ok) return true
    const asked = question.code ?? question.regNo
    return !seen.has(asked) && seen.add(asked)
  })
}

/** What the public is told of an answer: the codes beside a registration number may come from records that are not public. */
export function publicly(said: Said): Said {
  return said.regNo === undefined ? said : { ...said, uscc: null, codes: [] }
}

/** Region, day in Asia/Shanghai and 64 bits of SHA-256 over questions, answers and positions, such as `ZJ-20260316-4F2A-9C1B-77D0-4C55`. */
export function numberOf(region: Region, { at, asOf }: Result['moment'], lines: readonly Line[]): string {
  const digest = hash('sha256', JSON.stringify({ region, at, asOf, lines })).slice(0, 16).toUpperCase()
  return [region.toUpperCase(), clock(at).slice(0, 10).replaceAll('-', ''), ...digest.match(/.{4}/g)!].join('-')
}

/** `YYYY-MM-DD hh:mm:ss` in Asia/Shanghai, which has had no summer time since 1991. @param instant RFC 3339 */
export function clock(instant: string): string {
  return new Date(Date.parse(instant) + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
}
