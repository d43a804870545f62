import { describe, expect, test } from 'vitest'
import { allFields, shapeOf } from './avro-schema.ts'
import { CODES } from './codes.ts'
import { ALL_CONTRACTS, contractByName, contractFor, type Contract } from './contracts.ts'
import { parseDay } from './read-time.ts'
import { toJson } from './record-json.ts'
import { sampleRecord } from './samples.ts'
import { DATA_STREAMS, isDataStream, type DataStream, type Region } from './streams.ts'
import { GRANTS, grantFor, isInvolved, reachOf, ROW_RULES, show, stateOf, todayInShanghai, type Viewer } from './visibility.ts'

type Values = Record<string, unknown>

const TODAY = day('2026-11-24')
const PUBLIC: Viewer = { kind: 'public' }
const OPERATOR: Viewer = { kind: 'operator' }
const bureau = (region: Region): Viewer => ({ kind: 'bureau', region })

/** Every sample of a record is one of sh; a party of the inspection failures is in zj, none is in js. */
const ORIGIN = bureau('sh')
const INVOLVED = bureau('zj')
const OTHER = bureau('js')

const PUBLISHED = { publication: 'published' }
const past = { publicUntil: day('2026-11-23') }

/**
 * The table of domain reference 7.9, row by row: what each viewer gets. `-` = nothing, `key` = record id and version, otherwise the fields
 * up to that visibility.
 */
const TABLE: readonly (readonly [row: string, stream: DataStream, change: Values | 'ended', pub: string, bureaus: string, involved: string, origin: string, operator: string])[] = [
  // data                                   stream                 change                                         public    bureaus    involved    origin    operator
  ['complaint, published',                  'complaint',           PUBLISHED,                                     'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, to be published',            'complaint',           { publication: 'pending' },                    '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, never publishable',          'complaint',           { publication: 'not-publishable' },            '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, publication withdrawn',      'complaint',           { publication: 'withdrawn' },                  '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, withdrawal without a word',  'complaint',           { ...PUBLISHED, kind: 'withdrawal' },          '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, publication over',           'complaint',           { publication: 'expired' },                    '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['complaint, ended',                      'complaint',           'ended',                                       '-',      'bureaus', 'bureaus',  'origin', 'key'],
  ['listing, published',                    'credit-blacklist',    PUBLISHED,                                     'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['listing, decided but not published',    'credit-blacklist',    { publication: 'pending' },                    '-',      '-',       '-',        'origin', '-'],
  ['listing, never publishable',            'credit-blacklist',    { publication: 'not-publishable' },            '-',      '-',       '-',        'origin', '-'],
  ['listing, publication withdrawn',        'credit-blacklist',    { publication: 'withdrawn' },                  '-',      '-',       '-',        'origin', 'key'],
  ['listing, withdrawal without a word',    'credit-blacklist',    { ...PUBLISHED, kind: 'withdrawal' },          '-',      '-',       '-',        'origin', 'key'],
  ['listing, publication over',             'credit-blacklist',    { publication: 'expired' },                    '-',      '-',       '-',        'origin', 'key'],
  ['listing, last day of its term',         'credit-blacklist',    { ...PUBLISHED, until: TODAY },                'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['listing, past its term',                'credit-blacklist',    { ...PUBLISHED, until: TODAY - 1 },            '-',      '-',       '-',        'origin', 'key'],
  ['listing, removal dated before it',      'credit-blacklist',    { ...PUBLISHED, removal: { date: TODAY - 9 } }, '-',     '-',       '-',        'origin', 'key'],
  ['listing, shield of tomorrow',           'credit-blacklist',    { ...PUBLISHED, shield: shield(1, null) },     'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['listing, shielded with an open end',    'credit-blacklist',    { ...PUBLISHED, shield: shield(0, null) },     '-',      '-',       '-',        'origin', 'key'],
  ['listing, last day of the shield',       'credit-blacklist',    { ...PUBLISHED, shield: shield(-9, 0) },       '-',      '-',       '-',        'origin', 'key'],
  ['listing, shield over',                  'credit-blacklist',    { ...PUBLISHED, shield: shield(-9, -1) },      'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['penalty, its publication over',         'credit-blacklist',    { ...PUBLISHED, penalty: past },               '-',      '-',       '-',        'origin', 'key'],
  ['listing, repaired or expired',          'credit-blacklist',    'ended',                                       '-',      '-',       '-',        'origin', 'key'],
  ['failure, published',                    'inspection-failure',  PUBLISHED,                                     'public', 'bureaus', 'involved', 'origin', 'involved'],
  ['failure, before publication',           'inspection-failure',  { publication: 'pending' },                    '-',      '-',       'involved', 'origin', 'involved'],
  ['failure, never publishable',            'inspection-failure',  { publication: 'not-publishable' },            '-',      '-',       'involved', 'origin', 'involved'],
  ['failure, publication withdrawn',        'inspection-failure',  { publication: 'withdrawn' },                  '-',      '-',       'involved', 'origin', 'involved'],
  ['failure, overturned by a retest',       'inspection-failure',  { ...PUBLISHED, outcome: 'overturned' },       '-',      '-',       'involved', 'origin', 'involved'],
  ['failure, publication over',             'inspection-failure',  { publication: 'expired' },                    '-',      '-',       'involved', 'origin', 'involved'],
  ['failure, ended',                        'inspection-failure',  'ended',                                       '-',      '-',       '-',        'origin', 'key'],
  ['recall, published',                     'recall',              { ...PUBLISHED, state: 'published' },          'public', 'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, suspicion',                     'recall',              { publication: 'pending', state: 'suspected' }, '-',     'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, a suspicion called published',  'recall',              { ...PUBLISHED, state: 'suspected' },          '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, never publishable',             'recall',              { publication: 'not-publishable' },            '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, publication withdrawn',         'recall',              { publication: 'withdrawn' },                  '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, publication over',              'recall',              { publication: 'expired' },                    '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['recall, ended',                         'recall',              'ended',                                       '-',      '-',       '-',        'origin', 'key'],
  ['tally of reports',                      'tally',               {},                                            '-',      'bureaus', 'bureaus',  'origin', 'bureaus'],
  ['tally, ended',                          'tally',               'ended',                                       '-',      '-',       '-',        'origin', 'key'],
]

describe('the visibility table', () => {
  test.each(TABLE)('%s (%s)', (_row, stream, change, ...expected) => {
    const { contract, record } = rowOf(stream, change)
    const got = [PUBLIC, OTHER, INVOLVED, ORIGIN, OPERATOR].map((viewer) => grantFor(contract, record, viewer, TODAY))
    expect(got.map((grant) => (grant === 'nothing' ? '-' : grant))).toEqual(expected)
  })

  test('has every publication state of the code list, and what takes its place, for every stream', () => {
    for (const stream of DATA_STREAMS) {
      const { contract, record } = rowOf(stream, {})
      const states = new Set('publication' in record ? Object.keys(CODES['publication']!.codes) : ['internal'])
      states.add('ended')
      if (stream === 'credit-blacklist') states.add('suppressed')
      expect(Object.keys(ROW_RULES[stream]).sort(), stream).toEqual([...states].sort())
      const walked = TABLE.filter(([, of]) => of === stream).map(([, , change]) => {
        const row = rowOf(stream, change)
        return stateOf(row.contract, row.record, TODAY)
      })
      expect(new Set(walked), stream).toEqual(states)
      expect(contract.role).toBe('record')
    }
  })

  test('shows a state that has no rule to its origin alone', () => {
    const { contract, record } = rowOf('complaint', { publication: 'in-dispute' })
    expect([PUBLIC, OTHER, INVOLVED, ORIGIN, OPERATOR].map((viewer) => show(contract, record, viewer, TODAY).show)).toEqual(['nothing', 'nothing', 'nothing', 'record', 'nothing'])
  })

  test('gives a bureau that is also the operator what either may see', () => {
    const both: Viewer = { kind: 'bureau', region: 'js', operator: true }
    const seen = (stream: DataStream, change: Values | 'ended') => {
      const { contract, record } = rowOf(stream, change)
      return grantFor(contract, record, both, TODAY)
    }
    expect(seen('inspection-failure', { publication: 'pending' })).toBe('involved')
    expect(seen('complaint', 'ended')).toBe('bureaus')
    expect(seen('recall', 'ended')).toBe('key')
    expect(seen('credit-blacklist', { publication: 'pending' })).toBe('nothing')
  })

  test('an inspection failure reaches its origin and the regions of its parties for action, the others for attention', () => {
    const { contract, record } = rowOf('inspection-failure', { publication: 'pending' })
    expect((['sh', 'zj', 'js'] as const).map((region) => reachOf(contract, record, region))).toEqual(['action', 'action', 'attention'])
    expect([isInvolved(record, 'zj', 'nominal-producer'), isInvolved(record, 'zj', 'sampled-unit')]).toEqual([true, false])
    const complaint = rowOf('complaint', {})
    expect(reachOf(complaint.contract, complaint.record, 'sh')).toBeUndefined()
  })

  test('counts the days of Asia/Shanghai', () => {
    expect(todayInShanghai(Date.parse('2026-11-24T15:59:59Z'))).toBe(TODAY)
    expect(todayInShanghai(Date.parse('2026-11-24T16:00:00Z'))).toBe(TODAY + 1)
  })
})

describe('the fields of a row', () => {
  test.each(ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream)).map((contract) => [contract.fullName, contract] as const))('%s: each has a visibility, and no more is shown than it says', (_name, contract) => {
    for (const { path, field } of allFields(shapeOf(contract.schema))) expect(GRANTS.slice(2), path).toContain(field.visibility)
    const record = { ...sampleRecord(contract.fullName), publication: 'published', state: 'published' }
    for (const viewer of [PUBLIC, OTHER, INVOLVED, ORIGIN, OPERATOR]) {
      const grant = grantFor(contract, record, viewer, TODAY)
      const shown = show(contract, record, viewer, TODAY)
      if (shown.show !== 'record') continue
      const may = new Set([...allFields(shapeOf(contract.schema))].filter(({ field }) => rank(field.visibility) <= rank(grant)).map(({ path }) => path))
      expect(pathsOf(shown.json).filter((path) => !may.has(path)), JSON.stringify(viewer)).toEqual([])
      if (viewer === ORIGIN) expect(shown.json).toEqual(toJson(contract, record))
    }
  })

  test('amounts, state and deadlines of a complaint are for bureaus; trader, class, result and dates for all', () => {
    const { contract, record } = rowOf('complaint', { ...PUBLISHED, disputedFen: 9900, recoveredFen: 9900 })
    const seen = shownTo(contract, record, PUBLIC)
    expect(Object.keys(seen)).toEqual([
      'kind', 'region', 'authority', 'occurredOn', 'legalBasis', 'registeredOn', 'acceptedOn', 'handlingDivision', 'placeDivision', 'verified', 'respondent', 'platform', 'object', 'issue', 'channel',
      'mediationOutcome', 'mediationEndedOn', 'online', 'closedOn', 'publication', 'publishedOn',
    ])
    expect(shownTo(contract, record, OTHER)).toMatchObject({ disputedFen: 9900, recoveredFen: 9900, state: record['state'], recordId: record['recordId'] })
  })

  test('a key is region, record id and version, and nothing else', () => {
    const { contract, record } = rowOf('credit-blacklist', 'ended')
    expect(show(contract, record, OPERATOR, TODAY)).toEqual({ show: 'key', json: { region: record['region'], recordId: record['recordId'], version: record['version'] } })
  })

  test('a firm that denied being the producer is not shown to the public as failing', () => {
    const { contract, record } = rowOf('inspection-failure', PUBLISHED)
    const [sampled, producer] = record['parties'] as [Values, Values]
    const roles = (change: Values, viewer: Viewer) => (shownTo(contract, { ...record, ...change }, viewer)['parties'] as Values[]).map(({ role }) => role)
    const denied = { parties: [sampled, { ...producer, attribution: 'denied' }] }
    expect(roles({}, PUBLIC)).toEqual(['sampled-unit', 'nominal-producer'])
    expect(roles(denied, PUBLIC)).toEqual(['sampled-unit'])
    expect(roles({ outcome: 'denied' }, PUBLIC)).toEqual(['sampled-unit'])
    expect(roles(denied, OTHER)).toEqual(['sampled-unit', 'nominal-producer'])
  })

  test('the public is not told who a natural person is, nor where a sole trader lives', () => {
    const { contract, record } = rowOf('inspection-failure', PUBLISHED)
    const [sampled, producer] = record['parties'] as [Values, Values]
    const parties = [{ ...sampled, name: '王某', uscc: null, address: '某路1号', entityType: 'individual' }, { ...producer, name: '某小吃店', address: '某路2号', entityType: 'sole-trader' }]
    const [person, trader] = shownTo(contract, { ...record, parties }, PUBLIC)['parties'] as [Values, Values]
    expect(Object.keys(person)).toEqual(['role', 'division', 'region', 'entityType', 'attribution'])
    expect(trader).toMatchObject({ name: '某小吃店' })
    expect(trader).not.toHaveProperty('address')
    const respondent = { name: '王某', uscc: null, division: '310104', region: 'sh', entityType: 'individual' }
    const complaint = rowOf('complaint', { ...PUBLISHED, respondent, verified: null })
    expect(shownTo(complaint.contract, complaint.record, PUBLIC)).toMatchObject({ respondent: { division: '310104', region: 'sh', entityType: 'individual' }, verified: null })
    expect(JSON.stringify(shownTo(complaint.contract, complaint.record, PUBLIC))).not.toContain('王某')
    expect(shownTo(complaint.contract, complaint.record, OTHER)).toMatchObject({ respondent: { name: '王某' } })
  })
})

function rowOf(stream: DataStream, change: Values | 'ended'): { contract: Contract; record: Values } {
  const contract = contractFor(stream, change === 'ended' ? 'expiry' : 'original')
  return { contract, record: { ...sampleRecord(contract.fullName), region: 'sh', ...(change === 'ended' ? {} : change) } }
}

function shownTo(contract: Contract, record: Values, viewer: Viewer): Values {
  const shown = show(contract, record, viewer, TODAY)
  if (shown.show !== 'record') throw new Error(`${contractByName(contract.fullName)!.fullName} is not shown`)
  return shown.json
}

/** Paths with a value, as `allFields` writes them. */
function pathsOf(json: Values, before = ''): string[] {
  return Object.entries(json).flatMap(([name, value]) => {
    const items = Array.isArray(value) ? value : [value]
    const nested = Array.isArray(value) ? `${before}${name}[].` : `${before}${name}.`
    return [before + name, ...items.flatMap((item) => (typeof item === 'object' && item !== null ? pathsOf(item as Values, nested) : []))]
  })
}

function rank(visibility: (typeof GRANTS)[number]): number {
  return GRANTS.indexOf(visibility)
}

function shield(from: number, until: number | null): Values {
  return { from: TODAY + from, until: until === null ? null : TODAY + until }
}

function day(text: string): number {
  return parseDay(text)!
}
