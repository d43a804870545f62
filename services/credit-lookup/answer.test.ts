import { describe, expect, it } from 'vitest'
import { contractByName } from '@hub/schemas/contracts'
import { parseDay, parseInstant } from '@hub/schemas/read-time'
import { sampleRecord } from '@hub/schemas/samples'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Viewer } from '@hub/schemas/visibility'
import { answer, type Found, momentOf, told, toldBytes } from './answer.ts'
import { doubtsOf, type RegionFacts } from './completeness.ts'

type Values = Record<string, unknown>

const CONTRACT = contractByName('cn.yrd.credit_blacklist.CreditRecord')!
const NOW = parseInstant('2026-11-25T10:00:00+08:00')!
const TODAY = parseDay('2026-11-25')!
const CURSOR = '0123abcd.0'
const QUESTION = { ok: true as const, code: '913307839967857675', checkHolds: true }
/** Every record is of zj. */
const VIEWERS: readonly (readonly [name: string, viewer: Viewer, origin: boolean])[] = [
  ['the public', { kind: 'public' }, false],
  ['another bureau', { kind: 'bureau', region: 'ah' }, false],
  ['its own bureau', { kind: 'bureau', region: 'zj' }, true],
  ['an operator', { kind: 'operator' }, false],
]

/** What a current record can be, and whether it is active: decided, not ended, not shielded, published. Ended records are not held at all. */
const STATES: readonly (readonly [name: string, change: Values, active: boolean])[] = [
  ['published', {}, true],
  ['corrected', { kind: 'correction' }, true],
  ['restored after a repair', { kind: 'restored', version: 9 }, true],
  ['of the old regime', { regime: 'before-2021-09', listType: 'serious' }, true],
  ['a sole trader\'s mark', { listType: 'sole-trader-mark' }, true],
  ['on the last day of its term', { until: TODAY }, true],
  ['the day after its term', { until: TODAY - 1 }, false],
  ['shielded from today', { kind: 'shield', shield: { from: TODAY, until: null, decisionNo: null } }, false],
  ['shielded until today', { shield: { from: TODAY - 9, until: TODAY, decisionNo: null } }, false],
  ['shielded from tomorrow', { shield: { from: TODAY + 1, until: null, decisionNo: null } }, true],
  ['with its shield over', { shield: { from: TODAY - 9, until: TODAY - 1, decisionNo: null } }, true],
  ['undecided: removed before it was listed', { removal: { date: TODAY - 400, path: null, ground: null, groundText: null, authority: null, decisionNo: null } }, false],
  ['not published yet', { publication: 'pending' }, false],
  ['never publishable', { publication: 'not-publishable' }, false],
  ['withdrawn from publication', { publication: 'withdrawn' }, false],
  ['with a withdrawal as its last word', { kind: 'withdrawal' }, false],
  ['no longer published', { publication: 'expired' }, false],
]

const GOOD: Omit<RegionFacts, 'region'> = {
  transportAgeMs: 60_000, sources: [{ sourceSystem: 'credit', cadenceSeconds: 3600, baselineComplete: true, lastHandOverAt: NOW - 2 * 3_600_000 }],
  unreadable: 0, proof: 'equal', positions: [{ topic: 'x.credit-blacklist', partition: 0, generation: 'g', next: 7 }],
}

/** What can be wrong with a region; the first is nothing. */
const DOUBTS: readonly (readonly [code: string | undefined, change: Partial<RegionFacts>])[] = [
  [undefined, {}],
  [undefined, { proof: 'unknown' }],
  ['transport', { transportAgeMs: 60_001 }],
  ['transport', { transportAgeMs: undefined }],
  ['no-source', { sources: [] }],
  ['baseline', { sources: [...GOOD.sources, { sourceSystem: 'new', cadenceSeconds: 3600, baselineComplete: false, lastHandOverAt: NOW }] }],
  ['baseline', { sources: [{ sourceSystem: 'silent', cadenceSeconds: 3600, baselineComplete: true, lastHandOverAt: undefined }] }],
  ['source', { sources: [...GOOD.sources, { sourceSystem: 'late', cadenceSeconds: 3600, baselineComplete: true, lastHandOverAt: NOW - 2 * 3_600_000 - 1 }] }],
  ['parked-unreadable', { unreadable: 1 }],
  ['parked-sets-differ', { proof: 'parked sets differ' }],
  ['digest-differs', { proof: 'different' }],
]

describe('doubts about a region', () => {
  it.each(DOUBTS)('%s', (code, change) => {
    expect(doubtsOf({ region: 'js', ...GOOD, ...change }, NOW).map((doubt) => doubt.code)).toEqual(code === undefined ? [] : [code])
  })

  it('name the source, and each of several', () => {
    const sources = [{ sourceSystem: 'late', cadenceSeconds: 60, baselineComplete: true, lastHandOverAt: NOW - 121_000 }, { sourceSystem: 'new', cadenceSeconds: 60, baselineComplete: false, lastHandOverAt: undefined }]
    expect(doubtsOf({ region: 'js', ...GOOD, sources, unreadable: 2 }, NOW).map(({ code, source }) => [code, source])).toEqual([['source', 'late'], ['baseline', 'new'], ['parked-unreadable', undefined]])
  })
})

describe('an answer, in every combination of', () => {
  describe.each(VIEWERS)('%s asking', (_, viewer, origin) => {
    it.each(STATES)('a listing %s, with a penalty beside it, and every doubt about another region', (_name, change, active) => {
      for (const [code, doubt] of DOUBTS) {
        for (const parkedIn of [[], ['js'], ['zj'], ['js', 'js', 'zj']] as Region[][]) {
          const moment = momentOf(regions('js', doubt), CURSOR, NOW)
          const incomplete = new Set([...(code === undefined ? [] : ['js']), ...parkedIn])
          const alone = answer(QUESTION, [listing(change)], parkedIn, moment, viewer)
          expect(alone.verdict).toBe(active ? 'listed' : incomplete.size > 0 ? 'unknown' : 'not-listed')
          expect(new Set(alone.incomplete.map(({ region }) => region))).toEqual(incomplete)
          expect(alone.incomplete.length).toBe(incomplete.size)
          expect(alone.listings.length).toBe(active ? 1 : 0)
          expect(alone.withheld.length).toBe(!active && origin ? 1 : 0)
          // Outside its origin nothing tells it from one that never was.
          if (!active && !origin) expect(alone).toEqual(answer(QUESTION, [], parkedIn, moment, viewer))
          const beside = answer(QUESTION, [listing(change), penalty()], parkedIn, moment, viewer)
          expect(beside.verdict).toBe(alone.verdict)
          expect(beside.penalties.length).toBe(1)
        }
      }
    })

    it('two listings of any two states: each active one is told', () => {
      const moment = momentOf(regions('js', {}), CURSOR, NOW)
      for (const [, one, oneActive] of STATES) {
        for (const [, other, otherActive] of STATES) {
          const found = answer(QUESTION, [listing(one), listing({ ...other, recordId: 'zj-credit/2' })], [], moment, viewer)
          expect(found.verdict).toBe(oneActive || otherActive ? 'listed' : 'not-listed')
          expect(found.listings.length).toBe(Number(oneActive) + Number(otherActive))
        }
      }
    })
  })
})

describe('an answer', () => {
  it('tells of a listing: list, ground, authority, number, dates, times and where the log has it', () => {
    const moment = momentOf(regions('js', { transportAgeMs: 90_000 }), CURSOR, NOW)
    const said = answer(QUESTION, [listing({ until: TODAY + 300 })], [], moment, { kind: 'bureau', region: 'ah' })
    const answered = told(said, moment)
    expect(JSON.parse(toldBytes(said, moment).toString())).toEqual(JSON.parse(JSON.stringify(answered)))
    expect(answered).toMatchObject({
      uscc: QUESTION.code, verdict: 'listed', flags: [], at: '2026-11-25T10:00:00+08:00',
      incomplete: [{ region: 'js', doubts: [{ code: 'transport' }] }],
      listings: [{
        region: 'zj', list: { zh: '经营异常名录', en: 'abnormal operations' }, reachedHubAt: '2026-03-01T03:18:20.928+08:00',
        evidence: { topic: 'zj.credit-blacklist', partition: 1, offset: 42, eventId: '019ca5b0-0000-7000-8000-000000000003' },
        record: { groundText: '通过登记的住所（经营场所）无法联系的', decisionNo: '东市监异列〔2026〕18号', listedOn: '2026-03-09', until: '2027-09-21', authority: { name: '东阳市市场监督管理局' }, subject: { uscc: QUESTION.code } },
      }],
    })
    expect(answered.asOf.map(({ region, complete }) => [region, complete])).toEqual(REGIONS.map((region) => [region, region !== 'js']))
    expect(answered.asOf[1]).toEqual({ region: 'js', complete: false, positions: GOOD.positions, transportAgeSeconds: 90, sources: [{ source: 'credit', lastHandOver: '2026-11-25T08:00:00+08:00' }] })
  })

  it('shows the public no more than it may see', () => {
    const { listings } = answer(QUESTION, [listing({})], [], momentOf(regions('js', {}), CURSOR, NOW), { kind: 'public' })
    expect(listings[0]!.evidence).toEqual({ topic: 'zj.credit-blacklist', partition: 1, offset: 42 })
    for (const field of ['eventId', 'recordId', 'shield', 'removal', 'recordedAt']) expect(listings[0]!.record).not.toHaveProperty(field)
  })

  it('ends with the last day of the term in Shanghai, not in Greenwich', () => {
    const until = listing({ until: parseDay('2026-11-25')! })
    const at = (time: string): string => answer(QUESTION, [until], [], momentOf(regions('js', { sources: [{ ...GOOD.sources[0]!, cadenceSeconds: 86_400 }] }, { cadenceSeconds: 86_400 }), CURSOR, parseInstant(time)!), { kind: 'public' }).verdict
    expect(at('2026-11-25T23:59:59.999+08:00')).toBe('listed')
    expect(at('2026-11-26T00:00:00+08:00')).toBe('not-listed')
  })

  it('flags a code that fails its check', () => {
    expect(answer({ ok: true, code: '91350203M0001QAY9B', checkHolds: false }, [], [], momentOf(regions('js', {}), CURSOR, NOW), { kind: 'public' })).toMatchObject({ flags: ['check-failed'], verdict: 'not-listed' })
  })

  it('keeps the doubts that a region has beside the parked event', () => {
    const { incomplete } = answer(QUESTION, [], ['js', 'js'], momentOf(regions('js', { unreadable: 1 }), CURSOR, NOW), { kind: 'public' })
    expect(incomplete).toEqual([{ region: 'js', doubts: [expect.objectContaining({ code: 'parked-unreadable' }), expect.objectContaining({ code: 'parked-subject' })] }])
  })
})

function regions(changed: Region, change: Partial<RegionFacts>, source: Partial<RegionFacts['sources'][number]> = {}): RegionFacts[] {
  return REGIONS.map((region) => ({ region, ...GOOD, sources: GOOD.sources.map((one) => ({ ...one, ...source })), ...(region === changed && change) }))
}

function listing(change: Values): Found {
  return found({ ...sampleRecord(CONTRACT.fullName), ...change })
}

function penalty(): Found {
  return found({ ...sampleRecord(CONTRACT.fullName, 'penalty'), region: 'zj' })
}

function found(record: Values): Found {
  return { contract: CONTRACT, record, topic: 'zj.credit-blacklist', partition: 1, offset: 42 }
}
