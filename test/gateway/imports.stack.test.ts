import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { SOURCES } from '../connectors/import-file.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const expected = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as { files: Record<string, { rows: Record<string, number> }>, complaints: Record<Region, { file: string, rows: Record<string, number> }> }

const FILES: readonly (readonly [file: string, shape: string])[] = [
  ['sh/complaints.ndjson', 'complaint-cases'], ['js/complaints.csv', 'complaint-table'], ['zj/complaints-changes.ndjson', 'complaint-changes'], ['ah/complaints.csv', 'complaint-table'],
  ['zj/credit-abnormal-feed.csv', 'credit-feed'], ['zj/credit-serious-feed.csv', 'credit-feed'], ['zj/credit-soletrader-mark-feed.csv', 'credit-feed'], ['sh/credit-gsxt-pages.json', 'credit-pages'],
  ['js/credit-namelist.xlsx', 'credit-namelist'], ['ah/credit-list-log.csv', 'credit-log'], ['ah/credit-penalty-table.csv', 'credit-penalties'],
  ['sh/inspection-food-table.csv', 'inspection-food'], ['sh/inspection-product.csv', 'inspection-product'], ['js/inspection-food.csv', 'inspection-food'], ['zj/inspection-food-notice.xlsx', 'inspection-food'],
  ['ah/inspection-food-a.csv', 'inspection-food'], ['ah/inspection-food-b.csv', 'inspection-food'],
  ['sh/inspection-notice.txt', 'inspection-notice'], ['js/inspection-notice.txt', 'inspection-notice'], ['zj/inspection-notice.txt', 'inspection-notice'], ['ah/inspection-notice.txt', 'inspection-notice'],
]

const PENALTIES_OF_PAGES = 18

export interface Report {
  id: string
  state: string
  rows: number
  events: number
  verdicts: Record<string, number>
  classes: Record<string, number>
  flags: Record<string, number>
  shape: { id: string, confirmed: boolean } | null
  recognised: { columns: unknown[], unmapped: string[] } | null
  repeats: string | null
  problem: { code: string } | null
  problems: { row: number, verdict: string, problems: { rule: string, column: string }[] }[]
}

let fixture: Fixture
const gateways = {} as Record<Region, TestGateway>

beforeAll(async () => {
  fixture = await openFixture()
  for (const region of REGIONS) gateways[region] = await startGateway(fixture, { region })
})

afterAll(async () => {
  for (const gateway of Object.values(gateways)) await gateway[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

async function handOver(region: Region, source: string, body: Buffer, query: Record<string, string>, key: string = KEYS.publisher): Promise<{ status: number, body: Report & { code?: string } }> {
  const response = await fetch(`${gateways[region].url}/v1/imports/${source}?${new URLSearchParams({ wait: 'true', ...query })}`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: new Uint8Array(body) })
  return { status: response.status, body: await response.json() as Report }
}

async function act(region: Region, id: string, action: string): Promise<{ status: number, body: Report & { code?: string } }> {
  const response = await fetch(`${gateways[region].url}/v1/imports/${id}/${action}?wait=true`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` } })
  return { status: response.status, body: await response.json() as Report }
}

function expectedOf(file: string, region: Region): Record<string, number> {
  const rows = { ...(expected.files[file]?.rows ?? expected.complaints[region].rows) }
  // The pages hold penalties too, which expected.json counts apart; all of them are good.
  if (file === 'sh/credit-gsxt-pages.json') for (const kind of ['total', 'good']) rows[kind]! += PENALTIES_OF_PAGES
  return Object.fromEntries(Object.entries(rows).filter(([, count]) => count > 0))
}

function classesOf({ classes }: Report): Record<string, number> {
  return { total: Object.values(classes).reduce((sum, count) => sum + count, 0), ...classes }
}

describe('every source file has the documented counts', () => {
  test.each(FILES)('%s', async (file, shape) => {
    const region = file.slice(0, 2) as Region
    const { status, body } = await handOver(region, `test-${region}`, readFileSync(join(SOURCES, file)), { file: basename(file), shape })
    expect([status, body.state, body.problem]).toEqual([200, 'done', null])
    expect(classesOf(body)).toEqual(expectedOf(file, region))
  })

  test.each(FILES)('%s again: nothing new', async (file, shape) => {
    const region = file.slice(0, 2) as Region
    const { body } = await handOver(region, `test-${region}`, readFileSync(join(SOURCES, file)), { file: basename(file), shape })
    expect(body).toMatchObject({ state: 'done', events: 0 })
    expect(body.repeats).not.toBeNull()
    expect(body.rows).toBe(Object.values(body.verdicts).reduce((sum, count) => sum + count, 0))
    expect(Object.keys(body.verdicts).filter((verdict) => ['accepted', 'new-version', 'tallied'].includes(verdict))).toEqual([])
  })

  test('and no file stays', async () => {
    for (const { stateDir } of Object.values(gateways)) expect((await readdir(join(stateDir, 'imports'))).filter((name) => name !== 'gateway')).toEqual([])
  })
})
