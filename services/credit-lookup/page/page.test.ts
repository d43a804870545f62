import { contractByName } from '@hub/schemas/contracts'
import { sampleRecord } from '@hub/schemas/samples'
import { REGIONS } from '@hub/schemas/streams'
import { describe, expect, it } from 'vitest'
import { answer, type Found, momentOf, type Said } from '../answer.ts'
import type { RegionFacts } from '../completeness.ts'
import { readQuestion } from '../question.ts'
import { clock, distinct, numberOf, piecesOf, publicly, type Line, type Result } from './result.ts'
import { view } from './view.ts'
import { rows } from './workbook.ts'

const TODAY = '2026-03-16'
const NOW = Date.parse('2026-03-16T10:00:00+08:00')
const [LISTED, NOBODY] = ['913307839967857675', '91310000132260250X']
/** A number made up for tests; its own check digit does not hold. */
const PERSON = '110105194912310021'
const HOSTILE = '=HYPERLINK("x")<script>alert(1)</script>有限公司'

const facts = REGIONS.map((region): RegionFacts => ({
  region, transportAgeMs: 1_000, unreadable: 0, proof: 'equal', sources: [{ sourceSystem: `${region}-credit`, cadenceSeconds: 86_400, baselineComplete: true, lastHandOverAt: NOW - 3_600_000 }],
  positions: [{ topic: `${region}.credit-blacklist`, partition: 0, generation: 'g', next: 9 }],
}))
const moment = momentOf(facts, 'c', NOW)
const stale = momentOf(facts.with(1, { ...facts[1]!, transportAgeMs: 95_000 }), 'c', NOW)

function said(code: string, found: Found[] = [], at = moment): Said {
  return publicly(answer(readQuestion(code, TODAY) as { ok: true; code: string; checkHolds: boolean }, found, [], at, { kind: 'public' }))
}

function found(fields: Record<string, unknown> = {}, name = '某某有限公司'): Found {
  const record = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
  return { contract: contractByName('cn.yrd.credit_blacklist.CreditRecord')!, record: { ...record, subject: { ...record['subject'] as object, name, uscc: LISTED }, ...fields }, topic: 'zj.credit-blacklist', partition: 1, offset: 40_117 }
}

function resultOf(lines: readonly Line[], at = moment): Result {
  return { number: numberOf('zj', at, lines), region: 'zj', moment: at, lines, withoutCode: 12, proof: undefined }
}

async function shown(lines: readonly Line[], at = moment): Promise<string> {
  return String(await view({ result: resultOf(lines, at), workbook: 'data:x' }))
}

describe('what is pasted', () => {
  it('is cut at lines and separators, and at blanks where they stand between codes', () => {
    expect(piecesOf(` ${LISTED}\r\n\n9131 0000 1322 60250X，${NOBODY};${LISTED}、${NOBODY}\t${LISTED} ${NOBODY}`)).toEqual([LISTED, '9131 0000 1322 60250X', NOBODY, LISTED, NOBODY, LISTED, NOBODY])
  })

  it('is answered once a code, whatever way it was written', () => {
    expect(distinct([LISTED, NOBODY.toLowerCase(), 'x', NOBODY, 'x'].map((one) => readQuestion(one, TODAY))).map(({ at }) => at)).toEqual([1, 2, 3, 5])
  })
})

describe('the page', () => {
  it('tells list, ground, authority, number, dates, source and place of a listing, and no effect that is not verified', async () => {
    const text = await shown([{ at: 1, asked: LISTED, said: said(LISTED, [found()]) }])
    for (const part of ['已列入', '经营异常名录', '某某有限公司', '通过登记的住所（经营场所）无法联系的', '东阳市市场监督管理局', '东市监异列〔2026〕18号', '2026-03-09', '未定期限', 'zj.credit-blacklist/1 @ 40117', '按列入机关规定办理']) expect(text).toContain(part)
  })

  it('says 未查到 and never 合格 of a firm on no list, with how far each region reaches, what is not covered and who prevails', async () => {
    const text = await shown([{ at: 1, asked: NOBODY, said: said(NOBODY) }])
    expect(text).toContain('未查到 <span class="en" lang="en">Nothing found</span></span></h3>')
    expect(text).toContain('这不是“合格”证明')
    for (const part of ['zj-credit：2026-03-16 09:00:00', '2026-03-16 09:59:59', '现有 <strong>12</strong> 条', '信用中国', '登记在其他地区']) expect(text).toContain(part)
  })

  it('names the region and the reason where nothing can be concluded, also beside a listing', async () => {
    const unknown = await shown([{ at: 1, asked: NOBODY, said: said(NOBODY, [], stale) }], stale)
    expect(unknown).toMatch(/暂不能确认[^]*江苏[^]*95 秒没有更新/)
    expect(unknown).not.toContain('这不是“合格”证明')
    expect(await shown([{ at: 1, asked: LISTED, said: said(LISTED, [found()], stale) }], stale)).toMatch(/已列入[^]*可能另有列入[^]*江苏/)
  })

  it.each([['shielded', { shield: { from: 20_000, until: null, decisionNo: null } }], ['past its term', { until: 20_000 }], ['not published', { publication: 'pending' }], ['not to be published', { publication: 'not-publishable' }]])('a listing that is %s cannot be told from none', async (_, fields) => {
    const line = (of: Said): Line => ({ at: 1, asked: LISTED, said: of })
    expect(await shown([line(said(LISTED, [found(fields)]))])).toBe(await shown([line(said(LISTED))]))
  })

  it('escapes what stands in a record', async () => {
    const text = await shown([{ at: 1, asked: LISTED, said: said(LISTED, [found({}, HOSTILE)]) }])
    expect(text).not.toContain('<script')
    expect(text).toContain('&lt;script&gt;')
  })

  it('explains what is no code by its place, without a word of it', async () => {
    const questions = distinct([PERSON, '9131<b>', `张三${PERSON}`].map((one) => readQuestion(one, TODAY)))
    const text = await shown(questions.map(({ at, question }) => ({ at, wrong: (question as { text: string }).text })))
    expect(text).toMatch(/第 1 项[^]*形似公民身份号码[^]*第 2 项[^]*18 位[^]*第 3 项/)
    expect(text).not.toMatch(/1949|9131<|9131&lt;|张三/)
  })

  it('flags a check character that does not hold, and still answers', async () => {
    expect(await shown([{ at: 1, asked: '91340000711771144H', said: said('91340000711771144H') }])).toMatch(/未查到[^]*校验位不符/)
  })

  it('tells a penalty as a fact beside, which lists nobody', async () => {
    const penalty = { decisionNo: '罚1号', violationType: null, violationText: '虚假宣传', measures: ['fine'], fineFen: 50_010, confiscatedFen: null, decidedOn: 20_500, publicUntil: null }
    const text = await shown([{ at: 1, asked: LISTED, said: said(LISTED, [found({ recordType: 'penalty', listType: 'penalty', penalty })]) }])
    expect(text).toMatch(/未查到[^]*行政处罚（仅供参考，不影响上述结论）[^]*虚假宣传[^]*罚款[^]*500\.10 元/)
  })

  it('leaves out the codes beside a registration number', () => {
    const asked = { ok: true, regNo: '110108000000016', checkHolds: true } as const
    expect(publicly(answer(asked, [], [], moment, { kind: 'public' }, [LISTED]))).toMatchObject({ verdict: 'unknown', uscc: null, codes: [] })
  })
})

it('another question, answer or position has another number; the same have the same', () => {
  const lines: Line[] = [{ at: 1, asked: NOBODY, said: said(NOBODY) }]
  const number = numberOf('zj', moment, lines)
  expect(number).toMatch(/^ZJ-20260316-[0-9A-F]{4}(-[0-9A-F]{4}){3}$/)
  expect(numberOf('zj', moment, [...lines])).toBe(number)
  expect(new Set([number, numberOf('zj', stale, lines), numberOf('zj', moment, [{ at: 1, asked: LISTED, said: said(LISTED) }]), numberOf('zj', moment, [{ at: 1, asked: NOBODY, said: said(NOBODY, [found()]) }])]).size).toBe(4)
})

it('a day is that of Shanghai', () => {
  expect(clock('2026-03-15T16:00:00.000Z')).toBe('2026-03-16 00:00:00')
})

it('the workbook has a row for every listing and every entry that is no code, and the number of the page', async () => {
  const result = resultOf([{ at: 1, asked: LISTED, said: said(LISTED, [found(), found({ decisionNo: '另一号' }, HOSTILE)]) }, { at: 2, asked: NOBODY, said: said(NOBODY) }, { at: 3, wrong: '应为 18 位' }])
  const told: string[][] = []
  for await (const cells of rows(result)) told.push(cells.map(({ text }) => text))
  expect(told.slice(1, 5).map(([code, verdict]) => [code, verdict])).toEqual([[LISTED, '已列入 Listed'], [LISTED, '已列入 Listed'], [NOBODY, '未查到 Nothing found'], ['第 3 项', '输入有误 Not a code']])
  expect(told.flat()).toContain(result.number)
  expect(told.flat().join('\n')).toContain('另一号')
})
