import { describe, expect, test } from 'vitest'
import { COUNTED_COLUMNS, Counting, type Countable, ROLLUP_TABLES, type RollupTable } from './rollups.ts'

const COMPLAINT: Readonly<Record<(typeof COUNTED_COLUMNS.complaint)[number], string | null>> = {
  kind: 'original', registered_on: '2026-03-10', state: 'settled', mediation_outcome: 'settled', online: 'true', recovered_fen: '1200', object_kind: 'goods', object_class: 'G01', issue: '01', channel: '12',
  uscc: '91330110993733187N', trader_name: '云栖商贸有限公司', entity_type: 'enterprise', publication: 'published',
}
const complaint = (over: Partial<typeof COMPLAINT> = {}): Countable => COUNTED_COLUMNS.complaint.map((name) => ({ ...COMPLAINT, ...over })[name])

function cellsOf(table: RollupTable, ...records: Countable[]): unknown[] {
  const counting = new Counting()
  for (const record of records) counting.change('complaint', undefined, record)
  return counting.cells(table).map(({ keys, sums, money }) => [keys.join(' '), ...sums, ...(money === 0n ? [] : [money])])
}

describe('what a complaint counts for', () => {
  test('its day, state, outcome and way of buying, with what was recovered', () => {
    expect(cellsOf('complaint_day', complaint(), complaint(), complaint({ online: null, mediation_outcome: null, recovered_fen: null }))).toEqual([
      ['2026-03-10 settled settled yes', 2, 2400n], ['2026-03-10 settled  ', 1],
    ])
  })

  test('one cell of each dimension, also without a national code', () => {
    expect(cellsOf('complaint_class_day', complaint({ object_class: null, issue: null }))).toEqual([
      ['2026-03-10 object goods ', 1, 1, 1], ['2026-03-10 issue  ', 1, 1, 1], ['2026-03-10 channel  12', 1, 1, 1],
    ])
  })

  test.each([['received', 1, 0, 0], ['transferred', 1, 0, 0], ['refused', 1, 1, 0], ['accepted', 1, 1, 1], ['withdrawn', 1, 1, 1], ['closed', 1, 1, 1], [null, 1, 0, 0]])('%s: received %i, counted %i, accepted %i', (state, ...sums) => {
    expect(cellsOf('complaint_class_day', complaint({ state }))[1]).toEqual(['2026-03-10 issue  01', ...sums])
  })

  test('its trader, by code and name', () => {
    expect(cellsOf('trader_day', complaint(), complaint({ state: 'refused', mediation_outcome: null }), complaint({ state: 'closed', mediation_outcome: 'terminated' }))).toEqual([
      ['2026-03-10 91330110993733187N 云栖商贸有限公司', 3, 2, 1, 1],
    ])
  })

  test.each([
    ['a sole trader by its kind', { entity_type: 'sole-trader' }], ['a person', { entity_type: 'individual' }], ['a sole trader by its code', { uscc: '92330110MA2XXXXX1Q', entity_type: null }],
    ['no code', { uscc: null }], ['withdrawn', { publication: 'withdrawn' }], ['withdrawn by this version', { kind: 'withdrawal' }], ['expired', { publication: 'expired' }],
    ['never publishable', { publication: 'not-publishable' }], ['not accepted yet', { state: 'received' }],
  ])('counts without naming a trader: %s', (_, over) => {
    expect(cellsOf('trader_day', complaint(over))).toEqual([])
    expect(cellsOf('complaint_day', complaint(over))).toHaveLength(1)
  })

  test('nothing once it is void, or of a day that nobody knows', () => {
    for (const table of ROLLUP_TABLES) expect(cellsOf(table, complaint({ kind: 'void' }), complaint({ registered_on: null }))).toEqual([])
  })
})

test('amounts are exact beyond what a number holds', () => {
  expect(cellsOf('complaint_day', ...Array.from({ length: 3 }, () => complaint({ recovered_fen: '9007199254740991' })))).toEqual([['2026-03-10 settled settled yes', 3, 27021597764222973n]])
})

test('what changes along any history adds up to a count of its end', () => {
  let seed = 20260310
  const pick = <T>(...values: T[]): T => values[(seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % values.length]!
  const version = (): Countable => complaint({
    kind: pick('original', 'correction', 'void', 'withdrawal', 'expiry'), registered_on: pick('2026-03-10', '2026-03-11', null), state: pick('received', 'refused', 'settled', null), mediation_outcome: pick('settled', null, 'terminated'),
    online: pick('true', 'false', null), recovered_fen: pick('0', '7', null), object_class: pick('G01', null, 'S01'), issue: pick('01', '02', '03'), uscc: pick('91330110993733187N', null, '92330110MA2XXXXX1Q'), trader_name: pick('甲', null, '乙'),
  })
  const sorted = (counting: Counting): unknown[] => ROLLUP_TABLES.flatMap((table) => counting.cells(table).map(({ keys, sums, money }) => [table, ...keys, ...sums.map((sum) => sum + 0), money].join('|'))).sort()
  for (let round = 0; round < 200; round++) {
    const [along, anew] = [new Counting(), new Counting()]
    for (let record = 0; record < 6; record++) {
      const versions = Array.from({ length: 1 + round % 5 }, version)
      versions.forEach((after, i) => along.change('complaint', versions[i - 1], after))
      anew.change('complaint', undefined, versions.at(-1))
    }
    expect(sorted(along)).toEqual(sorted(anew))
  }
})
