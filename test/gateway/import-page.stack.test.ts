import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SOURCES } from '../connectors/import-file.ts'
import { COMPLAINANT } from '../connectors/markers.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

let fixture: Fixture
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture, { region: 'js' })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

async function send(path: string, body?: FormData, key: string = KEYS.publisher): Promise<{ status: number, text: string, location: string | null }> {
  const response = await fetch(gateway.url + path, { method: body === undefined ? 'GET' : 'POST', headers: { authorization: `Bearer ${key}` }, redirect: 'manual', ...(body !== undefined && { body }) })
  return { status: response.status, text: await response.text(), location: response.headers.get('location') }
}

async function press(path: string): Promise<{ status: number, location: string | null }> {
  const response = await fetch(gateway.url + path, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': 'application/x-www-form-urlencoded' }, body: '', redirect: 'manual' })
  return { status: response.status, location: response.headers.get('location') }
}

function form(fields: Readonly<Record<string, string>>, file?: { name: string, bytes: Buffer }): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.append(name, value)
  if (file !== undefined) made.append('file', new Blob([new Uint8Array(file.bytes)]), file.name)
  return made
}

describe('/import', () => {
  test('a good file: recognised, shown once, confirmed, taken back', async () => {
    const bytes = readFileSync(join(SOURCES, 'js/complaints.csv'))
    const shown = await send('/import', form({ source: 'js-12315', encoding: '', delimiter: '' }, { name: '投诉.csv', bytes }))
    expect(shown.status).toBe(200)
    expect(shown.text).toContain('待确认')
    expect(shown.text).toContain('登记编号')
    expect(shown.text).toContain('前 20 行')
    expect(COMPLAINANT.exec(shown.text)).toBeNull()
    const id = /\/import\/([0-9a-f-]{36})\/confirm/.exec(shown.text)![1]!

    const later = await send(`/import/${id}`)
    expect(later.text).not.toContain('前 20 行')
    expect(await press(`/import/${id}/confirm`)).toEqual({ status: 303, location: `/import/${id}` })
    const report = await send(`/import/${id}`)
    expect(report.text).toContain('已完成')
    expect(report.text).toContain('有问题的行')
    expect((await press(`/import/${id}/revert`)).status).toBe(303)
    expect((await send(`/import/${id}`)).text).toContain('已撤销')
    expect((await send('/import')).text).toContain(`/import/${id}`)
  })

  test('a broken file says what is wrong and publishes nothing', async () => {
    const { text } = await send('/import', form({ source: 'js-list' }, { name: 'list.xlsx', bytes: readFileSync(join(SOURCES, 'bad/truncated.xlsx')) }))
    expect(text).toContain('工作簿已损坏')
    expect(text).not.toContain('/confirm')
  })

  test('a name that is a script is shown as text', async () => {
    const { text } = await send('/import', form({ source: 'js-list' }, { name: '<script>alert(1)<script>.csv', bytes: Buffer.from('x') }))
    expect(text).not.toContain('<script>')
  })

  test('without a source, without a file, for a source of others', async () => {
    const file = { name: 'x.csv', bytes: Buffer.from('x') }
    expect((await send('/import', form({}, file))).status).toBe(400)
    expect((await send('/import', form({ source: 'js-list' }))).status).toBe(400)
    expect((await send('/import', form({ source: 'js-list' }, file), KEYS.narrow)).status).toBe(403)
    expect((await send('/import', undefined, KEYS.reader)).status).toBe(403)
  })
})
