import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { complaintTable, REPORT_EVERY } from '../data/complaint-table.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

const ROWS = 100_000
const SOURCE = 'js-12315'

interface Report {
  id: string
  state: string
  rows: number
  events: number
  verdicts: Record<string, number>
}

let hub: Hub

beforeAll(async () => {
  hub = await openHub({ regions: [] })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

async function read(id: string): Promise<Report> {
  return await (await hub.request('js', 'publisher', `/v1/imports/${id}`)).json() as Report
}

test('killed twice in the middle of 100 000 rows, the import is complete, once, and its counts add up', async () => {
  let process = await hub.spawn('js')
  const body = Buffer.from([...complaintTable(ROWS)].join(''))
  const { id } = await (await fetch(`${hub.url('js')}/v1/imports/${SOURCE}?shape=complaint-table&file=export.csv`, { method: 'POST', headers: { authorization: `Bearer ${hub.keys.publisher}` }, body })).json() as Report
  for (const share of [0.2, 0.6]) {
    const before = await eventually('part of it is in', async () => {
      const report = await read(id)
      return report.rows >= ROWS * share ? report : undefined
    }, 180_000)
    expect(before.state).toBe('running')
    process.kill('SIGKILL')
    await once(process, 'exit')
    process = await hub.spawn('js')
  }
  const end = await eventually('the import has ended', async () => {
    const report = await read(id)
    return report.state === 'running' || report.state === 'received' ? undefined : report
  }, 240_000)
  const reports = ROWS / REPORT_EVERY
  expect(end).toMatchObject({ state: 'done', rows: ROWS, verdicts: { accepted: ROWS - reports, tallied: reports } })

  const { rows: [published] } = await hub.db('js').query<{ complaints: number, records: number, tallies: number }>(
    `SELECT count(*) FILTER (WHERE topic LIKE '%.complaint')::int AS complaints, count(DISTINCT record_id) FILTER (WHERE topic LIKE '%.complaint')::int AS records, count(*) FILTER (WHERE topic LIKE '%.tally')::int AS tallies FROM published`)
  expect(published).toMatchObject({ complaints: ROWS - reports, records: ROWS - reports })
  expect(end.events).toBe(published!.complaints + published!.tallies)
  const { rows: [counted] } = await hub.db('js').query<{ remembered: number }>(`SELECT count(*)::int AS remembered FROM import_memory WHERE part = 'reports'`)
  expect(counted!.remembered).toBe(reports)
  expect((await hub.db('js').query('SELECT 1 FROM import_cell')).rows).toEqual([])
  await eventually('the file is gone', async () => (await readdir(join(dirname(hub.callersFile('js')), 'imports'))).every((name) => !name.endsWith('.data')) || undefined)
}, 600_000)
