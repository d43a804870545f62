import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { contractByName } from './contracts.ts'
import { READ_FLAGS, READ_RULES, readEvent, type ReadEvent, type ReadResult } from './read-event.ts'
import { toJson } from './record-json.ts'
import { sample } from './samples.ts'
import { DATA_STREAMS, type DataStream, type Region } from './streams.ts'

const NOW = Date.parse('2026-11-24T00:00:00Z')
const COMPLAINT = 'cn.yrd.complaint.Complaint'
const CREDIT = 'cn.yrd.credit_blacklist.CreditRecord'
const INSPECTION = 'cn.yrd.inspection_failure.InspectionFailure'
/** Shaped like an identity number, of a division that does not exist. */
const IDENTITY = '000000196911040474'

const streams: Record<string, DataStream> = { [COMPLAINT]: 'complaint', [CREDIT]: 'credit-blacklist', [INSPECTION]: 'inspection-failure', 'cn.yrd.recall.Recall': 'recall', 'cn.yrd.tally.Tally': 'tally' }

function read(fullName: string, change: object = {}, variant?: string): ReadResult {
  const input: Record<string, unknown> = { ...sample(fullName, variant), ...change }
  return readEvent(streams[fullName]!, sample(fullName, variant)['region'] as Region, input, NOW)
}

function event(result: ReadResult): ReadEvent {
  if (!result.ok) expect.fail(JSON.stringify(result.problems))
  return result.event
}

function problems(result: ReadResult): string[] {
  if (result.ok) expect.fail('accepted')
  return result.problems.map(({ field, rule }) => `${field} ${rule}`)
}

const without = (fullName: string, ...names: string[]): ReadResult => read(fullName, Object.fromEntries(names.map((name) => [name, undefined])))

describe('the envelope', () => {
  test('what the gateway fills in may be left out, and what is given of it is not taken', () => {
    const { record } = event(without(COMPLAINT, 'eventId', 'region', 'legalBasis', 'authority'))
    expect(record).toMatchObject({ eventId: '', region: 'zj', version: 0, legalBasis: '《市场监督管理投诉举报处理暂行办法》第三十四条', authority: { code: null, name: null, rawName: null } })
    expect(event(read(COMPLAINT)).record).toMatchObject({ eventId: '', version: 0 })
    expect(event(read(COMPLAINT, { eventId: null, authority: null, legalBasis: null })).hash).toEqual(event(without(COMPLAINT, 'authority')).hash)
  })

  test('the version is the source\'s number, else its time, else the gateway counts', () => {
    expect(event(read(COMPLAINT)).origin).toEqual({ from: 'source', version: 3 })
    expect(event(without(COMPLAINT, 'version'))).toMatchObject({ origin: { from: 'time', version: Date.parse('2026-01-16T16:02:11Z') }, timeMs: Date.parse('2026-01-16T16:02:11Z') })
    expect(event(without(COMPLAINT, 'version', 'recordedAt'))).toMatchObject({ origin: { from: 'counter' }, timeMs: NOW, record: { recordedAt: NOW } })
  })

  test('what it says of an event', () => {
    expect(event(read(COMPLAINT))).toMatchObject({ recordId: 'zj-12315/ZJTS202600001000', source: 'zj-12315', authorityCode: '330383', kind: 'follow-up', ended: false, subject: '91330383MAY237W69P', flags: [] })
    expect(event(read(COMPLAINT)).hash).toHaveLength(32)
  })

  test('the body hash does not depend on event id, version and time of record', () => {
    expect(event(without(COMPLAINT, 'eventId', 'version', 'recordedAt')).hash).toEqual(event(read(COMPLAINT)).hash)
    expect(event(read(COMPLAINT, { state: 'closed' })).hash).not.toEqual(event(read(COMPLAINT)).hash)
  })

  test.each<[string, unknown, string]>([
    ['eventId', 'x', 'uuid'],
    ['version', 0, 'range'], ['version', -1, 'range'], ['version', 2 ** 53 - 1, 'range'], ['version', 1.5, 'integer'], ['version', '3', 'type'], ['version', Number.MAX_VALUE, 'range'],
    ['kind', 'deleted', 'unknown-code'], ['kind', 7, 'type'], ['kind', undefined, 'required'],
    ['region', 'sh', 'wrong-region'], ['region', '33', 'wrong-region'],
    ['occurredOn', '2026-02-30', 'date'], ['occurredOn', '9999-09-09', 'date'], ['occurredOn', 20_000, 'type'], ['occurredOn', undefined, 'required'],
    ['recordedAt', '2026-01-01 00:00:00', 'instant'], ['recordedAt', 1_773_538_200_000, 'type'], ['recordedAt', '1900-01-01T00:00:00Z', 'range'], ['recordedAt', '2026-11-25T00:00:01Z', 'future'], ['recordedAt', '2099-12-31T00:00:00Z', 'future'],
    ['recordId', undefined, 'required'], ['recordId', 'ZJTS1', 'record-id'], ['recordId', '/1', 'record-id'], ['recordId', 'zj-12315/', 'record-id'], ['recordId', 'ZJ/1', 'record-id'],
    ['recordId', 'zj-12315/a b', 'record-id'], ['recordId', `zj-12315/${'1'.repeat(120)}`, 'too-long'], ['recordId', '', 'empty'], ['recordId', `zj-12315/${IDENTITY}`, 'identity'],
    ['legalBasis', '', 'empty'], ['authority', 'x', 'type'], ['authority', [], 'type'],
  ])('%s %j is refused: %s', (field, value, rule) => {
    expect(problems(read(COMPLAINT, { [field]: value }))).toEqual([`${field} ${rule}`])
  })

  test('versions up to the highest that Avro writes, and clocks a little ahead, are taken', () => {
    expect(event(read(COMPLAINT, { version: 2 ** 53 - 2 })).origin).toEqual({ from: 'source', version: 2 ** 53 - 2 })
    event(read(COMPLAINT, { recordedAt: '2026-11-24T23:59:59Z' }))
  })
})

describe('nothing but what the contract says', () => {
  test('unknown fields are refused by name, at every depth', () => {
    expect(problems(read(COMPLAINT, { rqstperson: 'x', authority: { code: null, phone: 1 }, respondent: { contentrs: 'x' } }))).toEqual(['authority.phone unknown-field', 'respondent.contentrs unknown-field', 'rqstperson unknown-field'])
    expect(problems(read(INSPECTION, { parties: [{ role: 'platform' }, { role: 'importer', tel: 1 }] }))).toEqual(['parties[1].tel unknown-field'])
  })

  test('a name that may itself be personal data is not told', () => {
    expect(problems(read(COMPLAINT, { [`n${IDENTITY}`]: 1, '15400059966': 1, 'a\u0000': 1 })).every((problem) => problem === '? unknown-field')).toBe(true)
  })

  test('__proto__ and the names of every object are fields like any other', () => {
    const input = JSON.parse(`{"__proto__": {"state": "settled"}, ${JSON.stringify({ ...sample(COMPLAINT), state: undefined }).slice(1)}`) as unknown
    expect(problems(readEvent('complaint', 'zj', input, NOW)).sort()).toEqual(['__proto__ unknown-field', 'state required'])
    expect(problems(read(COMPLAINT, { constructor: 1, toString: 1 }))).toEqual(['constructor unknown-field', 'toString unknown-field'])
    expect(({} as Record<string, unknown>)['state']).toBe(undefined)
  })

  test.each([null, 1, 'x', [], undefined, true])('%j is not an event', (input) => {
    expect(readEvent('complaint', 'zj', input, NOW)).toEqual({ ok: false, problems: [{ field: '', rule: 'type', expected: 'object' }] })
  })

  test('all problems are told at once, without a value', () => {
    const result = read(COMPLAINT, { state: 'secret1', registeredOn: 'secret2', disputedFen: -1, respondent: { uscc: 'secret3', division: 'secret4' }, issue: { code: '秘密5' } })
    expect(problems(result)).toEqual(['state unknown-code', 'registeredOn date', 'respondent.uscc uscc-form', 'respondent.division gb2260', 'issue.code code-form', 'disputedFen range'])
    expect(JSON.stringify(result)).not.toMatch(/secret|秘密/)
  })

  test('fifty problems are enough', () => {
    expect(problems(read(COMPLAINT, Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x${i}`, 1]))))).toHaveLength(50)
  })

  test.each<[string, object, string]>([
    ['text where a number belongs', { disputedFen: '100' }, 'disputedFen type'],
    ['half a fen', { disputedFen: 0.5 }, 'disputedFen integer'],
    ['more than there is', { disputedFen: 1e18 }, 'disputedFen range'],
    ['a number where yes or no belongs', { online: 1 }, 'online type'],
    ['NUL', { respondent: { name: 'a\u0000b' } }, 'respondent.name control-character'],
    ['a lone surrogate', { respondent: { name: 'a\ud800b' } }, 'respondent.name lone-surrogate'],
    ['a long name', { respondent: { name: '店'.repeat(201) } }, 'respondent.name too-long'],
    ['no name', { respondent: { name: '' } }, 'respondent.name empty'],
    ['a day that is not the registration\'s', { registeredAt: '2025-12-31T15:59:59Z' }, 'registeredOn day-mismatch'],
    ['a registration before there was a platform', { registeredOn: '1999-12-31', registeredAt: null }, 'registeredOn range'],
    ['a registration in the future', { registeredOn: '2026-11-26', registeredAt: null }, 'registeredOn future'],
    ['a region that is not the division\'s', { respondent: { division: '330383', region: 'sh' } }, 'respondent.region region-mismatch'],
  ])('%s is refused', (_what, change, problem) => {
    expect(problems(read(COMPLAINT, change))).toEqual([problem])
  })

  test('a day that is counted is no later than a source\'s clock may be ahead', () => {
    expect(read(COMPLAINT, { registeredOn: '2026-11-25', registeredAt: null }).ok).toBe(true)
    expect(problems(read('cn.yrd.tally.Tally', { day: '2026-11-26' }))).toEqual(['day future'])
    expect(problems(read(COMPLAINT, { kind: 'expiry', registeredOn: '2026-11-26', registeredAt: null }))).toEqual(['registeredOn future'])
  })

  test('too many items, and items of the wrong type, are refused', () => {
    expect(problems(read('cn.yrd.recall.Recall', { remedies: Array<string>(11).fill('repair') }))).toEqual(['remedies too-many'])
    expect(problems(read('cn.yrd.recall.Recall', { salesRegions: ['sh', 'xx', 1] }))).toEqual(['salesRegions[1] unknown-code', 'salesRegions[2] type'])
    expect(problems(read(INSPECTION, { parties: [null] }))).toEqual(['parties[0] type'])
  })

  test('the refused event is named where its id is good, and only there', () => {
    expect(read(COMPLAINT, { state: 'x' })).toMatchObject({ ok: false, recordId: 'zj-12315/ZJTS202600001000' })
    for (const recordId of [`zj-12315/${IDENTITY}`, 'x', 1]) expect(Object.keys(read(COMPLAINT, { recordId }))).not.toContain('recordId')
  })
})

describe('firms', () => {
  test('a code is written in its one form; one that fails its check is kept and flagged', () => {
    expect(event(read(COMPLAINT, { verified: { uscc: ' ９１33 0383-may237w69p' } }))).toMatchObject({ flags: [], subject: '91330383MAY237W69P' })
    expect(event(read(COMPLAINT, { verified: { uscc: '91330383MAY237W69Q' } }))).toMatchObject({ flags: ['uscc-check-failed'], subject: '91330383MAY237W69Q' })
    expect(problems(read(COMPLAINT, { verified: { uscc: '330222************' } }))).toEqual(['verified.uscc uscc-form'])
  })

  test('the region follows from the division', () => {
    const region = (division: string): unknown => (event(read(COMPLAINT, { verified: { division } })).record['verified'] as { region: string }).region
    expect([region('310106'), region('320594'), region('330203001'), region('340000'), region('611002')]).toEqual(['sh', 'js', 'zj', 'ah', 'other'])
    expect(event(read(COMPLAINT, { verified: { region: 'other' } })).record['verified']).toMatchObject({ region: 'other', division: null })
  })
})

describe('identity numbers', () => {
  test('of a complaint the code is dropped and flagged; nothing of it stays', () => {
    for (const uscc of [IDENTITY, '000000 19691104 047x', `证号${IDENTITY}`]) {
      const found = event(read(COMPLAINT, { verified: null, respondent: { name: '吴某（个体）', uscc } }))
      expect(found).toMatchObject({ flags: ['identity-dropped'], subject: null, record: { respondent: { name: '吴某（个体）', uscc: null } } })
    }
    expect(event(read(COMPLAINT, { respondent: { name: `吴某 ${IDENTITY}` }, issue: { local: IDENTITY } }))).toMatchObject({ flags: ['identity-dropped'], record: { respondent: { name: null }, issue: { local: null } } })
  })

  test('a listing, a penalty, an inspection and a recall with one are refused', () => {
    expect(problems(read(CREDIT, { subject: { uscc: IDENTITY } }))).toEqual(['subject.uscc identity'])
    expect(problems(read(CREDIT, { subject: { pripid: IDENTITY, regNo: IDENTITY, name: `吴${IDENTITY}` }, groundText: IDENTITY, ground: IDENTITY }))).toEqual(
      ['subject.name identity', 'subject.regNo identity', 'subject.pripid identity', 'ground identity', 'groundText identity'])
    expect(problems(read(CREDIT, { subject: { uscc: IDENTITY } }, 'penalty'))).toEqual(['subject.uscc identity'])
    expect(problems(read(INSPECTION, { parties: [{ role: 'sampled-unit', uscc: IDENTITY }] }))).toEqual(['parties[0].uscc identity'])
    expect(JSON.stringify(read(CREDIT, { subject: { uscc: IDENTITY } }))).not.toContain(IDENTITY)
  })

  test('a credit code of digits with a date in it stays a credit code', () => {
    expect(event(read(CREDIT)).subject).toBe('913307839967857675')
  })
})

describe('ended records', () => {
  test('the whole record is taken for an ending kind, and its stub is all that stays', () => {
    const found = event(read(CREDIT, { kind: 'repair', occurredOn: '2026-05-09' }))
    expect(found).toMatchObject({ ended: true, subject: null, contract: { fullName: 'cn.yrd.credit_blacklist.CreditRecordEnded' } })
    expect(Object.keys(found.record)).toHaveLength(9)
    expect(JSON.stringify(found)).not.toMatch(/渚垣斋|913307839967857675/)
  })

  test('what is dropped is not looked at: a removal must not fail for it', () => {
    expect(event(read(CREDIT, { kind: 'void', subject: { uscc: IDENTITY }, listedOn: '0000-00-00' })).flags).toEqual([])
    expect(problems(read(CREDIT, { kind: 'void', remark: 'x' }))).toEqual(['remark unknown-field'])
  })

  test('an ended complaint keeps counting: its day and state must be there, the trader\'s division is taken along', () => {
    const found = event(read(COMPLAINT, { kind: 'expiry' }))
    expect(found).toMatchObject({ subject: null, record: { state: 'settled', traderDivision: '330383', recoveredFen: 20249 } })
    expect(JSON.stringify(found.record)).not.toMatch(/畹墅|喵舍/)
    expect(problems(read(COMPLAINT, { kind: 'erasure', state: undefined, registeredOn: undefined }))).toEqual(['state required', 'registeredOn required'])
  })

  test('a void complaint leaves every count and needs neither', () => {
    const input = { recordId: 'zj-12315/1', kind: 'void', occurredOn: '2026-03-01' }
    expect(event(readEvent('complaint', 'zj', input, NOW)).record).toMatchObject({ state: null, registeredOn: null, traderDivision: null })
  })

  test('a withdrawal ends publication, not the record', () => {
    expect(event(read(CREDIT, { kind: 'withdrawal', publication: 'withdrawn' }))).toMatchObject({ ended: false, subject: '913307839967857675' })
  })
})

describe('between the fields', () => {
  test.each<[string, object, string | undefined, string[]]>([
    ['a listing without its day', { listedOn: null }, undefined, ['listedOn required']],
    ['a listing with a penalty', { penalty: { decisionNo: '1', decidedOn: '2026-01-01' } }, undefined, ['penalty penalty-listing']],
    ['a listing on the list of penalties', { listType: 'penalty' }, undefined, ['listType penalty-listing']],
    ['a penalty on a list', { listType: 'serious' }, 'penalty', ['listType penalty-listing']],
    ['a penalty that says nothing', { penalty: null }, 'penalty', ['penalty required']],
    ['a shield without its days', { kind: 'shield' }, undefined, ['shield required']],
  ])('%s is refused', (_what, change, variant, expected) => {
    expect(problems(read(CREDIT, change, variant))).toEqual(expected)
  })

  test.each<[string, string, object, string]>([
    ['a subject with a name alone', CREDIT, { subject: { name: '甲店' } }, 'subject-unidentified'],
    ['a removal before its listing', CREDIT, { removal: { date: '2026-03-08' } }, 'removal-before-listing'],
    ['a removal by another authority', CREDIT, { kind: 'removal', listedBy: { code: '330100' } }, 'other-authority'],
    ['a code its open table does not have', COMPLAINT, { issue: { code: '11' } }, 'unknown-code'],
    ['an inspection without a failing item', INSPECTION, { failingItems: [] }, 'no-failing-item'],
  ])('%s is taken and flagged', (_what, fullName, change, flag) => {
    expect(event(read(fullName, change)).flags).toEqual([flag])
  })

  test('the same authority in other words is no other authority', () => {
    expect(event(read(CREDIT, { kind: 'removal', listedBy: { code: '330783', rawName: '东阳市工商行政管理局' } })).flags).toEqual([])
  })

  test('a failure that the re-inspection overturned is not published', () => {
    expect(problems(read(INSPECTION, { outcome: 'overturned' }))).toEqual(['publication overturned-published'])
    event(read(INSPECTION, { outcome: 'overturned', publication: 'withdrawn' }))
    event(read(INSPECTION, { outcome: 'overturned', kind: 'void' }))
  })
})

test('rules and flags have their words in both languages', () => {
  for (const [zh, en] of [...Object.values(READ_RULES), ...Object.values(READ_FLAGS)]) expect([/\p{Script=Han}/u.test(zh), /^[a-z]/.test(en)]).toEqual([true, true])
})

/** A seeded generator: the same inputs in every run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('whatever comes, it is refused in words or can be written, read and printed', () => {
  const pick = random(20_261_124)
  const odd = [null, undefined, 0, -0, 1, -1, 1.5, NaN, 1e308, 2 ** 53, '', 'x', '\u0000', '\ud800', '9999-09-09', '2026-03-15', '2026-03-15T00:00:00Z', IDENTITY, 'original', 'void', true, [], [[]], [null], {}, { name: {} }, '𠮷'.repeat(300)]
  const names = Object.entries(streams)
  let accepted = 0
  for (let round = 0; round < 20_000; round++) {
    const [fullName, stream] = names[pick(names.length)]!
    const input = sample(fullName)
    const region = input['region'] as Region
    for (let changes = 1 + pick(3); changes > 0; changes--) change(input, pick, odd)
    const result = readEvent(stream, region, input, NOW)
    if (!result.ok) {
      expect(result.problems.length).toBeGreaterThan(0)
      for (const { rule } of result.problems) expect(READ_RULES).toHaveProperty(rule)
      continue
    }
    accepted++
    const { contract, record } = result.event
    const full = { ...record, eventId: '019ca5b0-0000-7000-8000-000000000001', version: 1 }
    const type = types.get(contract.fullName) ?? avro.Type.forSchema(contractByName(contract.fullName)!.schema as unknown as avro.Schema, { registry: {} })
    types.set(contract.fullName, type)
    expect(readEvent(stream, region, toJson(contract, type.fromBuffer(type.toBuffer(full)) as object), NOW)).toMatchObject({ ok: true, event: { hash: result.event.hash } })
  }
  expect(accepted).toBeGreaterThan(500)
})

const types = new Map<string, avro.Type>()

/** Puts an odd value at a random place. */
function change(input: Record<string, unknown>, pick: (below: number) => number, odd: unknown[]): void {
  let at = input
  for (;;) {
    const names = Object.keys(at)
    if (names.length === 0) return
    const name = names[pick(names.length)]!
    const below = at[name]
    if (typeof below !== 'object' || below === null || pick(2) === 0) {
      at[name] = odd[pick(odd.length)]
      return
    }
    at = below as Record<string, unknown>
  }
}

test('every stream has its reader', () => {
  for (const stream of DATA_STREAMS) expect(readEvent(stream, 'zj', {}, NOW).ok).toBe(false)
})
