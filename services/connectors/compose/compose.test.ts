import { describe, expect, test } from 'vitest'
import { readEvent } from '@hub/schemas/read-event'
import { absenceAct, absentFrom, needsConfirmation } from './absence.ts'
import { composeInspection, inspectionEvent, type InspectionState } from './inspection.ts'
import type { InspectionAct } from './act.ts'
import { addAct, composeListing, listingEvent, regimeOf, type ListingAct, type ListingFacts, type ListingHistory, type ListingState } from './listing.ts'

const HOME = { code: '340104', name: '合肥市蜀山区市场监督管理局', rawName: '合肥市蜀山区市场监督管理局' }
const OTHER = { code: '340304', name: '蚌埠市禹会区市场监督管理局', rawName: '蚌埠市禹会区市场监督管理局' }
const facts: ListingFacts = { listType: 'serious', subject: { name: '某公司', uscc: '91330100799655058B' }, listedOn: '2024-06-12', listedBy: HOME, groundText: '提供虚假材料骗取登记' }
const act = (kind: ListingAct['kind'], more: Partial<ListingAct> = {}): ListingAct => ({ of: 'listing', recordId: 'list/1', kind, wholeState: false, ...more })
const listed = act('listed', { listing: facts })
const ended = act('ended', { removal: { date: '2025-07-15', path: 'repair', ground: 'early_repair', authority: HOME } })
const restored = act('restored', { restoredOn: '2025-10-22', restoredBy: HOME })

function take(acts: readonly ListingAct[]): { state: ListingState | undefined, verdicts: string[] } {
  let history: ListingHistory = []
  const verdicts: string[] = []
  for (const one of acts) {
    const added = addAct(history, one, '2026-04-01')
    history = added.history
    verdicts.push(added.verdict)
  }
  return { state: composeListing(history), verdicts }
}

function permutations<T>(items: readonly T[]): T[][] {
  return items.length < 2 ? [[...items]] : items.flatMap((item, at) => permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]))
}

const NOW = Date.UTC(2026, 3, 1)
function read(state: ListingState): { kind: string, flags: readonly string[] } {
  const result = readEvent('credit-blacklist', 'ah', listingEvent('list/1', state), NOW)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return { kind: result.event.kind, flags: result.event.flags }
}

describe('a listing from its acts', () => {
  test.each(permutations([listed, ended, restored]).map((acts) => [acts.map(({ kind }) => kind).join(', '), acts] as const))('%s: restored', (_, acts) => {
    const { state } = take(acts)
    expect(state).toMatchObject({ standing: 'active', restored: true, facts })
    expect(read(state!)).toEqual({ kind: 'restored', flags: [] })
  })

  test('a removal ends it, an early one is a repair', () => {
    expect(read(take([listed, ended]).state!).kind).toBe('repair')
    expect(read(take([listed, act('ended', { removal: { date: '2025-07-15', path: 'fulfilled', ground: 'annual_report', authority: HOME } })]).state!).kind).toBe('removal')
  })

  test('a removal without its listing waits, and applies when the listing comes', () => {
    expect(take([ended])).toEqual({ state: undefined, verdicts: ['waiting'] })
    expect(take([ended, listed])).toMatchObject({ verdicts: ['waiting', 'taken'], state: { standing: 'ended' } })
  })

  test('a listing that comes again turns nothing back; in other words it corrects the facts', () => {
    const again = act('listed', { listing: { ...facts, groundText: '换一种写法' } })
    expect(take([listed, ended, listed, again])).toMatchObject({ verdicts: ['taken', 'taken', 'duplicate', 'taken'], state: { standing: 'ended', facts: { groundText: '换一种写法' } } })
    expect(take([listed, again])).toMatchObject({ state: { standing: 'active', facts: { groundText: '换一种写法' } } })
  })

  test('ended again after it was restored', () => {
    const endedAgain = act('ended', { removal: { date: '2026-01-10', path: 'fulfilled', ground: 'annual_report', authority: HOME } })
    expect(take([listed, ended, restored, endedAgain]).state).toMatchObject({ standing: 'ended', removal: { date: '2026-01-10' } })
  })

  test('a removal dated before its listing decides nothing: suppressed and flagged, never an end', () => {
    const { state } = take([listed, act('ended', { removal: { date: '2024-05-01', path: 'fulfilled', ground: 'annual_report', authority: HOME } })])
    expect(state!.standing).toBe('undecided')
    expect(read(state!)).toEqual({ kind: 'follow-up', flags: ['removal-before-listing'] })
  })

  test('a removal by another authority is effective and flagged; the same body under another name is not', () => {
    const by = (authority: typeof HOME): ListingState => take([listed, act('ended', { removal: { date: '2025-08-20', path: 'fulfilled', ground: 'contact_regained', authority } })]).state!
    expect(read(by(OTHER))).toEqual({ kind: 'removal', flags: ['other-authority'] })
    expect(read(by({ ...HOME, rawName: '合肥市蜀山区工商局' }))).toEqual({ kind: 'removal', flags: [] })
  })

  test('the authority that listed answers a removal by another one with a restoration: active again, nothing is flagged', () => {
    const byOther = act('ended', { removal: { date: '2025-08-20', path: 'fulfilled', ground: 'contact_regained', authority: OTHER } })
    for (const acts of permutations([listed, byOther, restored])) expect(read(take(acts).state!)).toEqual({ kind: 'restored', flags: [] })
  })

  test('lists before 2021-09-01 are of another regime, the abnormal list of none', () => {
    expect(regimeOf({ ...facts, listedOn: '2021-08-31' })).toBe('before-2021-09')
    expect(regimeOf({ ...facts, listedOn: '2021-09-01' })).toBe('since-2021-09')
    expect(regimeOf({ ...facts, listType: 'abnormal' })).toBeUndefined()
  })

  test('rows that tell the whole state: one that tells less is older', () => {
    const whole = (kind: ListingAct['kind'], more: Partial<ListingAct> = {}): ListingAct => act(kind, { wholeState: true, listing: facts, ...more })
    expect(take([whole('ended', { removal: ended.removal! }), whole('listed'), whole('ended', { removal: ended.removal! })])).toMatchObject({ verdicts: ['taken', 'stale', 'duplicate'], state: { standing: 'ended' } })
    expect(take([whole('listed'), whole('ended', { removal: ended.removal! }), whole('listed')]).verdicts).toEqual(['taken', 'taken', 'stale'])
  })
})

describe('a listing from a change feed', () => {
  const change = (time: number, kind: ListingAct['kind'], more: Partial<ListingAct> = {}): ListingAct => act(kind, { wholeState: true, time, listing: facts, ...more })
  const rows = [change(1000, 'listed'), change(2000, 'ended', { removal: ended.removal! }), change(3000, 'listed')]

  test('the newest change stands; after an end it is a restoration', () => {
    expect(read(take(rows).state!).kind).toBe('restored')
    expect(take(rows.slice(0, 2)).state!.standing).toBe('ended')
  })

  test('an older change is stale, the same one a duplicate, another of the same time a conflict', () => {
    expect(take([rows[1]!, rows[0]!, rows[1]!, change(2000, 'listed')]).verdicts).toEqual(['taken', 'stale', 'duplicate', 'conflict'])
  })

  test('a delete voids it, even one whose listing never came', () => {
    expect(read(take([rows[0]!, change(4000, 'voided')]).state!).kind).toBe('void')
    expect(take([change(4000, 'voided', { listing: undefined })]).state!.standing).toBe('voided')
  })
})

describe('a complete list ends what it does not name', () => {
  const histories = (count: number): Map<string, ListingHistory> => new Map(Array.from({ length: count }, (_, at) => [`list/${at}`, [listed]]))
  const named = (count: number): Set<string> => new Set(Array.from({ length: count }, (_, at) => `list/${at}`))

  test.each([
    [1000, 1000, 0, false], [1000, 981, 19, false], [1000, 980, 20, false], [1000, 979, 21, true], [10_000, 9950, 50, false], [10_000, 9949, 51, true], [10, 9, 1, true],
  ])('%i active, %i named: %i end, a person is asked: %s', (active, inFile, ending, asked) => {
    const names = named(inFile)
    const absence = absentFrom(histories(active), (id) => names.has(id))
    expect([absence.recordIds.length, absence.active, needsConfirmation(absence.recordIds.length, absence.active, 0)]).toEqual([ending, active, asked])
  })

  test('where rows were refused nobody knows whom they name: a person is asked about the first absent one, and of none when all are there', () => {
    expect([needsConfirmation(1, 1000, 0), needsConfirmation(1, 1000, 1), needsConfirmation(0, 1000, 1)]).toEqual([false, true, false])
  })

  test('ended and waiting ones cannot be absent', () => {
    expect(absentFrom(new Map([['list/1', [listed, ended]], ['list/2', [ended]]]), () => false)).toEqual({ recordIds: [], active: 0 })
  })

  test('absence is a removal by the one that listed; named again, the listing is restored, and may be absent again', () => {
    const gone = absenceAct('list/1', '2026-03-01')
    expect(read(take([listed, gone]).state!)).toEqual({ kind: 'removal', flags: [] })
    expect(read(take([listed, gone, listed]).state!).kind).toBe('restored')
    expect(take([listed, gone, listed, listed]).verdicts).toEqual(['taken', 'taken', 'taken', 'duplicate'])
    expect(take([listed, gone, listed, absenceAct('list/1', '2026-05-01')]).state!.standing).toBe('ended')
  })
})

describe('an inspection from its acts', () => {
  const first: InspectionAct = { of: 'inspection', recordId: 'sampling/X1', rank: 0, outcome: 'none', record: { occurredOn: '2026-01-01', outcome: 'none', taskSource: '省级抽检', product: { name: '姜' } } }
  const upheld: InspectionAct = { ...first, rank: 1, outcome: 'upheld', record: { occurredOn: '2026-02-01', outcome: 'upheld', product: { name: '姜' } } }
  const overturned: InspectionAct = { ...upheld, outcome: 'overturned', record: { ...upheld.record, outcome: 'overturned' } }
  const compose = (acts: readonly InspectionAct[]): InspectionState => {
    let state: InspectionState | undefined
    for (const one of acts) state = composeInspection(state, one).state
    return state!
  }

  test('re-inspection supersedes the first conclusion whatever the order, and what only that told stays', () => {
    for (const acts of [[first, upheld], [upheld, first]]) expect(inspectionEvent(compose(acts))).toMatchObject({ kind: 'follow-up', outcome: 'upheld', occurredOn: '2026-02-01', taskSource: '省级抽检' })
  })

  test('an overturned one is void, and a late first conclusion does not bring it back', () => {
    for (const acts of [[first, overturned], [overturned, first]]) expect(inspectionEvent(compose(acts)).kind).toBe('void')
    expect(composeInspection(compose([overturned]), first)).toMatchObject({ late: true, changed: false })
  })

  test('a denial stands whatever comes late, and fills what the first conclusion alone told', () => {
    const denied: InspectionAct = { ...upheld, outcome: 'denied', record: { ...upheld.record, outcome: 'denied', parties: [{ role: 'nominal-producer', attribution: 'denied' }] } }
    const named: InspectionAct = { ...first, record: { ...first.record, parties: [{ role: 'nominal-producer', attribution: 'nominal' }] } }
    for (const acts of permutations([named, denied])) expect(inspectionEvent(compose(acts))).toMatchObject({ kind: 'follow-up', outcome: 'denied', parties: [{ attribution: 'denied' }], taskSource: '省级抽检' })
  })

  test('of two rows of one rank the later corrects the earlier and leaves nothing of it', () => {
    const corrected: InspectionAct = { ...first, record: { occurredOn: '2026-01-01', outcome: 'none', product: { name: '老姜' } } }
    expect(inspectionEvent(compose([first, corrected]))).toEqual({ recordId: 'sampling/X1', kind: 'original', ...corrected.record })
  })
})
