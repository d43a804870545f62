import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { complaintCases } from '@hub/connectors/shapes/complaint-cases/index'
import { complaintChanges } from '@hub/connectors/shapes/complaint-changes/index'
import { complaintTable } from '@hub/connectors/shapes/complaint-table/index'
import { readEvent } from '@hub/schemas/read-event'
import type { Region } from '@hub/schemas/streams'
import { countsOf, importFile, NOW, Publishing, SOURCES, type Imported } from './import-file.ts'
import { COMPLAINANT } from './markers.ts'

interface Expected {
  file: string
  rows: Record<string, number>
  records: { all: number, complaint: number, report: number, consultation: number, deleted: number }
  top10: { uscc: string, name: string, count: number }[]
  [figure: string]: unknown
}
const all = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as { complaints: Record<Region, Expected>, windows: Record<string, [string, string]> }

const FILES = [
  ['sh', complaintCases], ['js', complaintTable], ['zj', complaintChanges], ['ah', complaintTable],
] as const

/** A complaint as contracts have it, as far as counting looks at it. */
interface Complaint {
  state: string
  registeredOn: string
  acceptedOn: string | null
  issue: { code: string | null } | null
  channel: { code: string | null } | null
  object: { kind: string | null } | null
  verified: Party | null
  respondent: Party | null
  mediationOutcome: string | null
  recoveredFen: number | null
  linkedRecordId: string | null
}
interface Party { name: string | null, uscc: string | null }

describe.each(FILES)('complaints of %s', (region, shape) => {
  const expected = all.complaints[region]
  let imported: Imported
  const publishing = new Publishing(region)
  let current: Map<string, Complaint>
  let counted: Complaint[]

  beforeAll(async () => {
    imported = await importFile(expected.file, shape, region, { publishing })
    const newest = new Map<string, Imported['published'][number]>()
    for (const one of imported.published) if (one.version > (newest.get(one.event.recordId)?.version ?? 0)) newest.set(one.event.recordId, one)
    current = new Map([...newest].filter(([, { event }]) => event.kind !== 'void').map(([id, { event }]) => [id, event as unknown as Complaint]))
    counted = [...current.values()].filter(({ state }) => state !== 'received' && state !== 'transferred')
  })

  test('each row is in its class', () => {
    expect(countsOf(imported.verdicts)).toEqual(expected.rows)
  })

  test('records by type', () => {
    const tallies = imported.ledger.tallies() as unknown as { tallyType: string, count: number }[]
    const tallied = (type: string): number => tallies.filter(({ tallyType }) => tallyType === type).reduce((sum, { count }) => sum + count, 0)
    const voided = new Set(imported.published.filter(({ event }) => event.kind === 'void').map(({ event }) => event.recordId))
    expect({ complaint: current.size, report: tallied('report'), consultation: tallied('consultation'), deleted: voided.size })
      .toEqual({ complaint: expected.records.complaint, report: expected.records.report, consultation: expected.records.consultation, deleted: expected.records.deleted })
  })

  test('states, classes, outcomes and amounts add up as stated', () => {
    expect(counted.length).toBe(expected['counted'])
    expect(countBy([...current.values()], ({ state }) => state)).toEqual(without0(expected['byState']))
    expect(countBy(counted, ({ channel }) => channel?.code ?? 'unmapped')).toEqual(without0(expected['byChannel']))
    expect(countBy(counted, ({ issue }) => issue?.code ?? 'unmapped')).toEqual(without0(expected['byIssue']))
    expect(countBy(counted, ({ object }) => object?.kind ?? 'unmapped')).toEqual(without0(expected['byObjectKind']))
    expect(countBy(counted.filter(({ mediationOutcome }) => mediationOutcome != null), ({ mediationOutcome }) => mediationOutcome!)).toEqual(without0(expected['mediation']))
    expect(counted.reduce((sum, { recoveredFen }) => sum + (recoveredFen ?? 0), 0)).toBe(expected['recoveredFen'])
  })

  test.each(Object.entries(all.windows))('%s', (window, [from, to]) => {
    const within = counted.filter(({ registeredOn }) => registeredOn >= from && registeredOn <= to)
    const stated = (expected['windows'] as Record<string, Record<string, unknown>>)[window]!
    expect([...current.values()].filter(({ registeredOn }) => registeredOn >= from && registeredOn <= to).length).toBe(stated['received'])
    expect(within.length).toBe(stated['counted'])
    expect(within.reduce((sum, { recoveredFen }) => sum + (recoveredFen ?? 0), 0)).toBe(stated['recoveredFen'])
    const tallies = (imported.ledger.tallies() as unknown as { day: string, tallyType: string, count: number }[]).filter(({ day }) => day >= from && day <= to)
    const tallied = (type: string): number => tallies.filter(({ tallyType }) => tallyType === type).reduce((sum, { count }) => sum + count, 0)
    expect([tallied('report'), tallied('consultation')]).toEqual([stated['reports'], stated['consultations']])
  })

  test('traders by verified code, else the reported one', () => {
    const traders = countBy(counted.filter((one) => traderOf(one) !== undefined), (one) => traderOf(one)!)
    const top = Object.entries(traders).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10).map(([uscc, count]) => ({ uscc, count }))
    expect(top).toEqual(expected.top10.map(({ uscc, count }) => ({ uscc, count })))
    const differs = [...current.values()].filter(({ verified, respondent }) => verified?.name != null && verified.name !== respondent?.name)
    expect(differs.length).toBe(expected['verifiedDiffersFromReported'])
  })

  test('accepted after more than seven working days', () => {
    expect(counted.filter(({ registeredOn, acceptedOn }) => acceptedOn != null && workingDays(registeredOn, acceptedOn) > 7).length).toBe(expected['acceptedAfterMoreThan7WorkingDays'])
  })

  test('a second import publishes nothing and counts no report again', async () => {
    const again = await importFile(expected.file, shape, region, { publishing, ledger: imported.ledger })
    expect(again.published).toEqual([])
    expect(again.verdicts.filter(({ verdict }) => verdict === 'accepted' || verdict === 'new-version' || verdict === 'tallied')).toEqual([])
  })

  test('nothing of a complainant, an officer or a text is in any output', () => {
    const output = JSON.stringify([imported.verdicts, imported.published, imported.ledger.tallies()])
    expect(COMPLAINANT.exec(output)).toBeNull()
    expect(/要求退款|889012315/.exec(output)).toBeNull()
  })

  test('the counts of reports are events that the contract takes', () => {
    for (const event of imported.ledger.tallies()) expect(readEvent('tally', region, event, NOW)).toMatchObject({ ok: true })
  })
})

test('links join what came through 12345 as well: both records stand, the later one names the first', async () => {
  for (const [region, shape] of FILES.slice(0, 3)) {
    const { published } = await importFile(all.complaints[region].file, shape, region)
    const links = new Set(published.map(({ event }) => event['linkedRecordId'] !== undefined ? `${event.recordId} ${String(event['linkedRecordId'])}` : '').filter(Boolean))
    expect(links.size, region).toBe(all.complaints[region]['sameDisputePairs'])
  }
})

function traderOf({ verified, respondent }: Complaint): string | undefined {
  return verified?.uscc ?? respondent?.uscc ?? undefined
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}

function without0(counts: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(counts as Record<string, number>).filter(([, count]) => count > 0))
}

const OFF = [['2026-01-01', '2026-01-03'], ['2026-02-15', '2026-02-23'], ['2026-04-04', '2026-04-06']] as const
const MADE_UP = new Set(['2026-01-04', '2026-02-14', '2026-02-28'])

/** After `from` up to and with `to`, by the calendar of 2026. */
function workingDays(from: string, to: string): number {
  let days = 0
  for (let at = Date.parse(from) + 86_400_000; at <= Date.parse(to); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10)
    const weekend = [0, 6].includes(new Date(at).getUTCDay())
    if (MADE_UP.has(day) || (!weekend && !OFF.some(([first, last]) => day >= first && day <= last))) days++
  }
  return days
}
