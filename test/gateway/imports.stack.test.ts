import { TextReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { SOURCES } from '../connectors/import-file.ts'
import { COMPLAINANT } from '../connectors/markers.ts'
import { eventually } from '../eventually.ts'
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

  test.each(FILES.filter(([file]) => !file.includes('complaints')))('%s again, read by the rules of another release: nothing new', async (file, shape) => {
    const region = file.slice(0, 2) as Region
    await gateways[region].db.query(`UPDATE import SET mapping = 'before' WHERE source = $1`, [`test-${region}`])
    const { body } = await handOver(region, `test-${region}`, readFileSync(join(SOURCES, file)), { file: basename(file), shape })
    expect(body).toMatchObject({ state: 'done', events: 0, repeats: null })
  })

  test('and no file stays', async () => {
    for (const { stateDir } of Object.values(gateways)) await noFileStays(stateDir)
  })
})

describe('a file whose shape nobody named', () => {
  test('is recognised and rehearsed, and published only after it was confirmed', async () => {
    const source = 'guessed'
    const { status, body } = await handOver('js', source, readFileSync(join(SOURCES, 'js/complaints.csv')), { file: '投诉.csv' })
    expect([status, body.state, body.events, body.shape?.id, body.shape?.confirmed]).toEqual([202, 'waiting-confirmation', 0, 'complaint-table', false])
    expect(classesOf(body)).toEqual(expectedOf('js/complaints.csv', 'js'))
    expect(body.recognised!.columns).toContainEqual({ field: 'recordNo', column: '登记编号' })
    expect(await publishedOf('js', source)).toBe(0)

    const confirmed = await act('js', body.id, 'confirm')
    expect([confirmed.status, confirmed.body.state]).toEqual([200, 'done'])
    expect(classesOf(confirmed.body)).toEqual(expectedOf('js/complaints.csv', 'js'))
    expect(await publishedOf('js', source)).toBe(confirmed.body.events)
    expect((await act('js', body.id, 'confirm')).body.code).toBe('IMPORT_STATE')
  })

  test('can be given up', async () => {
    const { body } = await handOver('js', 'given-up', readFileSync(join(SOURCES, 'js/complaints.csv')), {})
    expect((await act('js', body.id, 'cancel')).body).toMatchObject({ state: 'failed', problem: { code: 'given-up' } })
    expect(await publishedOf('js', 'given-up')).toBe(0)
  })

  test('separated by semicolons it is read by what it was recognised as', async () => {
    const { body } = await handOver('ah', 'semicolons', readFileSync(join(SOURCES, 'bad/wrong-delimiter.csv')), {})
    expect(body).toMatchObject({ state: 'waiting-confirmation', classes: { good: 12 } })
    expect((await act('ah', body.id, 'confirm')).body).toMatchObject({ state: 'done', events: 12 })
  })

  test('of no known kind it says what is missing, and nothing is published', async () => {
    const { body } = await handOver('ah', 'unknown', Buffer.from('登记编号,工单类型,登记时间,办理状态\n1,投诉,2026-01-01,已受理\n'), {})
    expect(body).toMatchObject({ state: 'failed', problem: { code: 'unknown-shape' }, events: 0 })
    expect(body.recognised).toMatchObject({ en: expect.stringContaining('services/connectors/shapes/') })
  })
})

test('a dry run gives the counts and stores nothing', async () => {
  const { body } = await handOver('js', 'rehearsed', readFileSync(join(SOURCES, 'js/credit-namelist.xlsx')), { shape: 'credit-namelist', dryRun: 'true' })
  expect(body).toMatchObject({ state: 'done', events: 0 })
  expect(classesOf(body)).toEqual(expectedOf('js/credit-namelist.xlsx', 'js'))
  expect(await publishedOf('js', 'rehearsed')).toBe(0)
  expect((await gateways.js.db.query(`SELECT 1 FROM import_memory WHERE source = 'rehearsed'`)).rows).toEqual([])
})

describe('taken back', () => {
  test('every record that the import created is void, and those that were there before stay', async () => {
    const source = 'reverted'
    const first = await handOver('ah', source, readFileSync(join(SOURCES, 'ah/inspection-food-a.csv')), { shape: 'inspection-food' })
    const second = await handOver('ah', source, readFileSync(join(SOURCES, 'ah/inspection-food-b.csv')), { shape: 'inspection-food' })
    const created = await kindsOf('ah', second.body.id)
    const before = await kindsOf('ah', first.body.id)
    const { status, body } = await act('ah', second.body.id, 'revert')
    expect([status, body.state]).toEqual([200, 'reverted'])
    expect(new Set(created)).not.toEqual(new Set(['void']))
    expect(new Set(await kindsOf('ah', second.body.id))).toEqual(new Set(['void']))
    expect(await kindsOf('ah', first.body.id)).toEqual(before)
    expect((await act('ah', second.body.id, 'revert')).body.code).toBe('IMPORT_STATE')

    // Nothing of it stands, so the same file is no repetition, and its records come again.
    const third = await handOver('ah', source, readFileSync(join(SOURCES, 'ah/inspection-food-b.csv')), { shape: 'inspection-food' })
    expect(third.body.repeats).toBeNull()
    const standing = (kinds: string[]): string[] => kinds.filter((kind) => kind !== 'void').sort()
    expect(standing(await kindsOf('ah', third.body.id))).toEqual(standing(created))
  })

  test('records numbered by their source, and counts of reports, come again with the same file and with a corrected one, and can be taken back again', async () => {
    const source = 'reverted'
    const file = readFileSync(join(SOURCES, 'zj/complaints-changes.ndjson'))
    const first = await handOver('zj', source, file, { shape: 'complaint-changes' })
    const stood = await standingOf('zj', source)
    expect(stood.size).toBeGreaterThan(300)
    expect((await act('zj', first.body.id, 'revert')).body.state).toBe('reverted')
    expect(await standingOf('zj', source)).toEqual(new Map())

    const again = await handOver('zj', source, file, { shape: 'complaint-changes' })
    const { duplicate, stale, conflict } = first.body.verdicts
    expect([again.body.verdicts, again.body.events]).toEqual([expect.objectContaining({ duplicate, stale, conflict }), first.body.events])
    expect(await standingOf('zj', source)).toEqual(stood)

    expect((await act('zj', again.body.id, 'revert')).body.state).toBe('reverted')
    expect(await standingOf('zj', source)).toEqual(new Map())
    const corrected = await handOver('zj', source, Buffer.from(file.toString().replaceAll('QD02', 'QD03')), { shape: 'complaint-changes' })
    expect(corrected.body.verdicts).toMatchObject({ duplicate, stale, conflict })
    const stands = await standingOf('zj', source)
    expect([...stands.keys()].filter((id) => !id.includes('.'))).toEqual([...stood.keys()].filter((id) => !id.includes('.')))
    expect(stands).not.toEqual(stood)
  })
})

describe('broken files', () => {
  test.each<[file: string, region: Region, query: Record<string, string>, rule: string]>([
    ['truncated.xlsx', 'zj', { shape: 'inspection-food' }, 'broken-workbook'],
    ['wrong-delimiter.csv', 'ah', { shape: 'credit-namelist' }, 'other-delimiter'],
    ['unknown-header.csv', 'ah', { shape: 'credit-namelist' }, 'unknown-header'],
    ['gb18030-declared-utf8.csv', 'ah', { shape: 'credit-namelist', encoding: 'utf-8' }, 'invalid-encoding'],
    ['broken-line.ndjson', 'zj', { shape: 'complaint-changes' }, 'malformed-json'],
    ['formula-injection.csv', 'ah', { shape: 'credit-namelist' }, 'formula'],
    ['out-of-region.csv', 'ah', { shape: 'credit-namelist' }, 'out-of-region'],
    ['idnumbers-in-uscc.csv', 'ah', { shape: 'credit-namelist' }, 'identity'],
    ['empty.csv', 'ah', { shape: 'credit-namelist' }, 'empty-file'],
  ])('%s', async (file, region, query, rule) => {
    const { body } = await handOver(region, `bad-${file.split('.')[0]}`, readFileSync(join(SOURCES, 'bad', file)), { file, ...query })
    const report = (await gateways[region].get(`/v1/imports/${body.id}`, KEYS.publisher)).body as Report
    expect(report.problems.flatMap(({ problems }) => problems.map((one) => one.rule))).toContain(rule)
    expect(classesOf(body)).toMatchObject(Object.fromEntries(Object.entries(expectedOf(`bad/${file}`, region)).filter(([kind]) => kind === 'bad' || kind === 'total')))
    expect(JSON.stringify(report)).not.toMatch(/0{6}\d{11}|cmd\||HYPERLINK|商洛/)
  })

  test('an empty body, and a body that is no file of ours', async () => {
    expect((await handOver('ah', 'empty', Buffer.alloc(0), {})).body).toMatchObject({ state: 'failed', problem: { code: 'empty-file' } })
    expect((await handOver('ah', 'noise', Buffer.alloc(5000, 0xff), {})).body).toMatchObject({ state: 'failed' })
  })

  test('a workbook that unpacks to suspiciously much', async () => {
    const writer = new ZipWriter(new Uint8ArrayWriter())
    await writer.add('xl/workbook.xml', new TextReader('<workbook/>'))
    await writer.add('xl/worksheets/sheet1.xml', new TextReader('0'.repeat(30 * 1024 ** 2)))
    const { body } = await handOver('ah', 'bomb', Buffer.from(await writer.close()), {})
    expect(body).toMatchObject({ state: 'failed', problem: { code: 'zip-bomb' }, events: 0 })
  })
})

describe('who may', () => {
  test('a publisher imports for its own sources and sees those alone', async () => {
    const other = await handOver('js', 'test-js', Buffer.from('x'), {}, KEYS.narrow)
    expect([other.status, other.body.code]).toEqual([403, 'SOURCE_NOT_ALLOWED'])
    const own = await handOver('js', 'narrow', readFileSync(join(SOURCES, 'js/inspection-food.csv')), { shape: 'inspection-food' }, KEYS.narrow)
    expect(own.status).toBe(200)
    const seen = (await gateways.js.get('/v1/imports', KEYS.narrow)).body as { imports: { source: string }[] }
    expect(new Set(seen.imports.map(({ source }) => source))).toEqual(new Set(['narrow']))
    const foreign = await handOver('js', 'of-others', Buffer.from('x'), {})
    const all = (await gateways.js.get('/v1/imports?limit=1000', KEYS.operator)).body as { imports: { id: string }[] }
    expect(all.imports.map(({ id }) => id)).toContain(foreign.body.id)
    expect((await gateways.js.get(`/v1/imports/${foreign.body.id}`, KEYS.narrow)).status).toBe(404)
    expect((await gateways.js.get('/v1/imports', KEYS.reader)).status).toBe(403)
  })

  test('rows of an authority that the caller may not publish for are refused', async () => {
    const { body } = await handOver('zj', 'narrow', readFileSync(join(SOURCES, 'zj/credit-serious-feed.csv')), { shape: 'credit-feed' }, KEYS.narrow)
    const { body: report } = await gateways.zj.get(`/v1/imports/${body.id}`, KEYS.publisher) as { body: Report }
    expect(report.problems.some(({ problems }) => problems.some(({ rule }) => rule === 'authority-not-allowed'))).toBe(true)
  })
})

test('nothing personal is in any table, log line or folder of a gateway', async () => {
  for (const [region, { db, logged, stateDir }] of Object.entries(gateways)) {
    const { rows: columns } = await db.query<{ table: string, column: string, type: string }>(
      `SELECT table_name AS "table", column_name AS "column", data_type AS type FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN ('text', 'bytea', 'json', 'jsonb', 'ARRAY')
          AND column_name NOT IN ('body_hash', 'sha256', 'fingerprint')`)
    expect(columns.length).toBeGreaterThan(20)
    const found: string[] = []
    for (const { table, column, type } of columns) {
      const { rows } = await db.query<{ value: Buffer | string }>(`SELECT DISTINCT ${type === 'bytea' ? `"${column}"` : `"${column}"::text`} AS value FROM "${table}" WHERE "${column}" IS NOT NULL`)
      for (const { value } of rows) {
        const text = Buffer.isBuffer(value) ? value.toString('utf8') : value
        if (COMPLAINANT.test(text)) found.push(`${table}.${column}`)
      }
    }
    expect([region, found]).toEqual([region, []])
    expect(COMPLAINANT.exec(logged())?.[0]).toBeUndefined()
    await noFileStays(stateDir)
  }
})

async function publishedOf(region: Region, source: string): Promise<number> {
  const { rows: [row] } = await gateways[region].db.query<{ count: number }>(`SELECT count(*)::int AS count FROM published WHERE split_part(record_id, '/', 1) = $1`, [source])
  return row!.count
}

/** Content of every record of a source that has not ended, by its id. */
async function standingOf(region: Region, source: string): Promise<Map<string, string>> {
  const { rows } = await gateways[region].db.query<{ id: string, hash: string }>(
    `SELECT record_id AS id, encode(body_hash, 'hex') AS hash FROM (
       SELECT DISTINCT ON (topic, record_id) record_id, kind, body_hash FROM published WHERE split_part(record_id, '/', 1) = $1 ORDER BY topic, record_id, version DESC) newest
      WHERE kind <> 'void' ORDER BY 1`, [source])
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}

/** Kinds of the newest versions of what an import wrote. */
async function kindsOf(region: Region, id: string): Promise<string[]> {
  const { rows } = await gateways[region].db.query<{ kind: string }>(
    `SELECT DISTINCT ON (topic, record_id) kind FROM published WHERE (topic, record_id) IN (SELECT topic, record_id FROM published WHERE import_id = $1::uuid) ORDER BY topic, record_id, version DESC`, [id])
  return rows.map(({ kind }) => kind)
}

/** An import has ended before its file goes. */
function noFileStays(stateDir: string): Promise<true> {
  return eventually('no file stays', async () => {
    expect((await readdir(join(stateDir, 'imports'))).filter((name) => name !== 'gateway')).toEqual([])
    return true
  })
}
