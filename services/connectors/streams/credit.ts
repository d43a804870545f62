import type { ListingAct, ListingFacts, Removal } from '../compose/listing.ts'
import { entityTypeOf, readCode } from '../normalise/code.ts'
import { removalGround } from '../normalise/removal.ts'
import { present } from '../present.ts'
import { GB_CODES } from '@hub/schemas/streams'
import { divisionName, liesIn } from '../reference/divisions.ts'
import type { Row } from '../row.ts'

/** The code under which a subject is known, and the contract's fields of it. */
export interface Subject {
  readonly key: string
  readonly fields: Readonly<Record<string, unknown>>
}

const REG_NO = /^[0-9A-Za-z]{13,15}$/
const PRIPID = /^[0-9A-Za-z_-]{1,64}$/
const DIVISION = /^[1-9]\d{5}$/

/**
 * The subject of a listing by columns `name` and `code` and, where the shape has them, `regNo`, `pripid` and `division`. A person's number, a masked code and no
 * code at all are refused: such a listing could be found by nobody, or by the wrong one.
 */
export function subjectOf(row: Row, own: { regNo?: boolean, pripid?: boolean, division?: boolean } = {}): Subject | undefined {
  const name = row.words('name')
  const regNo = own.regNo ? row.text('regNo') : undefined
  const pripid = own.pripid ? row.text('pripid') : undefined
  const division = own.division ? row.text('division') : undefined
  if (division !== undefined && DIVISION.test(division) && !liesIn(division, row.context.region)) return row.refuse('out-of-region', 'division', `${row.context.region}: ${divisionName(`${GB_CODES[row.context.region]}0000`)} ${GB_CODES[row.context.region]}××××`)
  const text = row.text('code')
  const reading = text === undefined ? undefined : readCode(text, row.today)
  if (reading?.kind === 'identity') return row.refuse('identity', 'code', 'GB 32100-2015')
  if (reading?.kind === 'masked') return row.refuse('masked-code', 'code', 'GB 32100-2015')
  if (reading?.kind === 'unreadable') row.flag('uscc-left-out')
  const uscc = reading?.kind === 'uscc' ? reading.code : undefined
  const number = reading?.kind === 'regno' ? reading.code : regNo !== undefined && REG_NO.test(regNo) ? regNo : undefined
  if (reading?.kind === 'regno') row.flag('registration-number')
  if (reading?.kind === 'uscc') {
    if (reading.repaired) row.flag('uscc-repaired')
    if (!reading.valid) row.flag('uscc-check-failed')
  }
  const key = uscc ?? number
  if (key === undefined) return row.refuse('no-identifier', 'code', 'GB 32100-2015')
  const internal = pripid !== undefined && PRIPID.test(pripid) && readCode(pripid, row.today).kind !== 'identity' && pripid !== uscc ? pripid : undefined
  return {
    key,
    fields: present({ name, uscc, regNo: number, pripid: internal, entityType: entityTypeOf(uscc), division: division !== undefined && DIVISION.test(division) ? division : undefined }),
  }
}

const LISTS: Readonly<Record<string, ListingFacts['listType']>> = {
  经营异常名录: 'abnormal', abnormal: 'abnormal', 严重违法失信名单: 'serious', 严重违法失信企业名单: 'serious', serious: 'serious', 个体工商户经营异常状态: 'sole-trader-mark', 个体工商户标记: 'sole-trader-mark',
}

export function listTypeOf(text: string | undefined): ListingFacts['listType'] | undefined {
  return text === undefined ? undefined : LISTS[text]
}

/** A list that is told by nothing but its ground: those of the abnormal list are four (domain reference 3.6). */
export function listTypeByGround(ground: string | undefined): ListingFacts['listType'] | undefined {
  return ground !== undefined && /年度报告|公示有关企业信息|隐瞒真实情况|住所.*无法(?:取得)?联系|无法联系/.test(ground) ? 'abnormal' : undefined
}

/** A removal by its columns; `undefined` while the listing stands. */
export function removalOf(row: Row, listType: string, [date, ground, by]: readonly [date: string, ground: string | undefined, by: string], decisionNo?: string): Removal | undefined {
  const day = row.day(date)
  if (day === undefined) return undefined
  const groundText = ground === undefined ? undefined : row.words(ground)
  return present({ date: day, ...removalGround(groundText, listType), groundText, authority: row.authority(by), decisionNo })
}

/** An act with its record id: source and what tells the listing from others of its source. */
export function listingAct(row: Row, id: string, act: Omit<ListingAct, 'of' | 'recordId'>): { act: ListingAct } {
  return { act: { of: 'listing', recordId: `${row.context.source}/${id}`, ...act } }
}

/** Numbers of decisions are written with all kinds of brackets, and mean the same. */
export function decisionKey(number: string): string {
  return number.replace(/\s/g, '').replace(/[[［(（【]/g, '〔').replace(/[\]］)）】]/g, '〕')
}
