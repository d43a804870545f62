import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bounded } from '@hub/gateway/routes/imports'
import { complaintTable, REPORT_EVERY } from '../data/complaint-table.ts'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

interface Report { id: string, state: string, rows: number, events: number, verdicts: Record<string, number>, problems: { row: number, problems: { rule: string }[] }[] }

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})

afterAll(() => fixture?.[Symbol.asyncDispose]())

async function send({ url }: TestGateway, path: string, body?: string): Promise<Report> {
  return await (await fetch(`${url}/v1/imports/${path}`, { method: body === undefined ? 'GET' : 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, ...(body !== undefined && { body }) })).json() as Report
}

async function ended(gateway: TestGateway, id: string): Promise<Report> {
  return eventually('the import has ended', async () => {
    const report = await send(gateway, id)
    return report.state === 'done' || report.state === 'failed' || report.state === 'reverted' ? report : undefined
  }, 120_000)
}

test('a running import takes no more rows while the outbox is full, and goes on when there is room', { timeout: 240_000 }, async () => {
  await using gateway = await startGateway(fixture, { region: 'js', config: { outboxMaxBytes: 200_000 } })
  const rows = 150_000
  const { id } = await send(gateway, 'full?shape=complaint-table', [...complaintTable(rows)].join(''))
  await eventually('it waits', async () => gateway.logged().includes('imports wait') || undefined, 120_000)
  // What is under way when it is told to wait is still committed; then so many looks find the same.
  let looks = 0
  let before = -1
  const position = await eventually('no more rows come', async () => {
    const { rows: now } = await send(gateway, id)
    looks = now === before ? looks + 1 : 0
    before = now
    return looks === 30 ? now : undefined
  }, 60_000)
  expect(position).toBeLessThan(rows)
  expect((await send(gateway, id)).state).toBe('running')
  const end = await eventually('it goes on to its end', async () => {
    // As if the relay had brought everything to the log.
    await gateway.db.query('INSERT INTO relay_position (topic, partition, last_sequence) SELECT topic, partition, next_sequence - 1 FROM outbox_head ON CONFLICT (topic, partition) DO UPDATE SET last_sequence = excluded.last_sequence')
    const report = await send(gateway, id)
    return report.state === 'done' ? report : undefined
  }, 120_000)
  expect(gateway.logged()).toContain('imports go on')
  expect(end).toMatchObject({ rows, verdicts: { accepted: rows - rows / REPORT_EVERY, tallied: rows / REPORT_EVERY } })
})

test('two gateways of a region import for one source, one after the other, and what both were given comes once', { timeout: 120_000 }, async () => {
  const databaseUrl = await fixture.database()
  await using one = await startGateway(fixture, { region: 'js', databaseUrl })
  await using other = await startGateway(fixture, { region: 'js', databaseUrl, config: { importSecretFile: join(one.stateDir, 'import-secret') } })
  const rows = 3_000
  const body = [...complaintTable(rows)].join('')
  const [first, second] = await Promise.all([send(one, 'both?shape=complaint-table', body), send(other, 'both?shape=complaint-table', body)])
  const reports = await Promise.all([ended(one, first.id), ended(other, second.id)])
  expect(reports.map(({ state }) => state)).toEqual(['done', 'done'])
  const sum = (verdict: string): number => reports.reduce((total, { verdicts }) => total + (verdicts[verdict] ?? 0), 0)
  expect([sum('accepted'), sum('tallied'), sum('duplicate')]).toEqual([rows - rows / REPORT_EVERY, rows / REPORT_EVERY, rows])
  const { rows: [published] } = await one.db.query<{ count: number }>(`SELECT count(DISTINCT record_id)::int AS count FROM published WHERE topic LIKE '%.complaint'`)
  expect(published!.count).toBe(rows - rows / REPORT_EVERY)
})

test('a file that is too large is refused by its length before a byte of it is read, and without a length where it passes the limit', async () => {
  await using gateway = await startGateway(fixture, { region: 'js' })
  const asked = request(`${gateway.url}/v1/imports/large`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-length': 2 * 1024 ** 3 + 1 } })
  asked.flushHeaders()
  const [response] = await once(asked, 'response') as [IncomingMessage]
  expect(response.statusCode).toBe(413)
  asked.on('error', () => {}).destroy()
  const piece = new Uint8Array(64 * 1024 ** 2)
  let taken = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield piece
  }
  await expect(async () => { for await (const one of bounded(endless())) taken += one.length }).rejects.toMatchObject({ status: 413, code: 'FILE_TOO_LARGE' })
  expect(taken).toBe(2 * 1024 ** 3)
})

test('a line that never ends costs its own row: what stands before and behind it is in', async () => {
  await using gateway = await startGateway(fixture, { region: 'zj' })
  const line = (no: number): string => `${JSON.stringify({ regId: `R${no}`, opType: 'I' })}\n`
  const report = await send(gateway, 'huge?shape=complaint-changes&wait=true', `${line(1)}{"regId":"${'x'.repeat(2 * 1024 ** 2)}"}\n${line(2)}`)
  expect([report.state, report.rows]).toEqual(['done', 3])
  const { problems } = await send(gateway, report.id)
  expect(problems.find(({ row }) => row === 2)?.problems.map(({ rule }) => rule)).toEqual(['line-too-long'])
  expect(JSON.stringify(problems)).not.toContain('xxxx')
})

test('an import that is taken back takes its hand-over with it, where that was the last of its source', { timeout: 60_000 }, async () => {
  const sourcesFile = join(await fixture.stateDir(), 'sources.yaml')
  await writeFile(sourcesFile, JSON.stringify({ sources: [{ id: 'back', owner: '南京市市场监督管理局信息中心', contact: '025-12345678', streams: ['complaint', 'tally'], caller: 'publisher', mode: 'changes', cadence: 'P1D', versionRule: 'source-number' }] }))
  await using gateway = await startGateway(fixture, { region: 'js', config: { sourcesFile } })
  const last = async (): Promise<string | null> => (await gateway.db.query<{ last: string | null }>(`SELECT last_hand_over AS last FROM declared_source WHERE id = 'back'`)).rows[0]!.last
  const table = [...complaintTable(200)]
  const imported = async (from: number, to: number): Promise<string> => {
    const { id } = await ended(gateway, (await send(gateway, 'back?shape=complaint-table', [table[0], ...table.slice(from, to)].join(''))).id)
    await eventually('its hand-over', async () => await last() === id || undefined)
    return id
  }
  const [first, second, third] = [await imported(1, 50), await imported(50, 100), await imported(100, 150)]
  await fetch(`${gateway.url}/v1/imports/${third}/revert`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` } })
  expect((await ended(gateway, third)).state).toBe('reverted')
  expect(await last()).toBe(second)
  await fetch(`${gateway.url}/v1/imports/${first}/revert`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` } })
  await eventually('the first is taken back', async () => (await send(gateway, first)).state === 'reverted' || undefined)
  expect(await last()).toBe(second)
})
