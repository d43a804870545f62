import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SOURCES } from '../connectors/import-file.ts'
import { COMPLAINANT } from '../connectors/markers.ts'
import { complaintTable, REPORT_EVERY } from '../data/complaint-table.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

let hub: Hub
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yrd-hub-inbox-'))
  hub = await openHub({ regions: [], config: { inboxDir: dir } })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

interface Report { id: string, state: string, events: number, verdicts: Record<string, number>, problem: { code: string, zh: string } | null }

async function reportOf(source: string, folder: 'done' | 'rejected', name: string): Promise<Report> {
  return eventually(`${source}/${folder}/${name}`, async () => {
    const names = await readdir(join(dir, source, folder))
    return names.includes(name) ? JSON.parse(await readFile(join(dir, source, folder, `${name}.report.json`), 'utf8')) as Report : undefined
  }, 180_000)
}

async function openOf(source: string): Promise<{ id: string, state: string, rows: number } | undefined> {
  const { imports } = await (await hub.request('js', 'publisher', `/v1/imports?source=${source}`)).json() as { imports: { id: string, state: string, rows: number }[] }
  return imports[0]
}

test('files in a watched folder are imported, the first of a kind after a person has looked, and what is no file is told apart', async () => {
  const source = 'js-12315'
  await mkdir(join(dir, source, 'inbox'), { recursive: true })
  await hub.start('js')

  // The first file of a kind waits for a person; the next ones with the same columns do not.
  await copyFile(join(SOURCES, 'js/complaints.csv'), join(dir, source, 'inbox', 'first.csv'))
  const first = await eventually('the first file is recognised', async () => {
    const one = await openOf(source)
    return one?.state === 'waiting-confirmation' ? one : undefined
  }, 180_000)
  await hub.client('js', 'publisher').confirmImport(first.id)
  const report = await reportOf(source, 'done', 'first.csv')
  expect(report).toMatchObject({ id: first.id, state: 'done' })
  expect(COMPLAINANT.exec(JSON.stringify(report))).toBeNull()

  const rows = 1_000
  await writeFile(join(dir, source, 'inbox', 'second.csv'), [...complaintTable(rows)].join(''))
  const second = await reportOf(source, 'done', 'second.csv')
  expect(second).toMatchObject({ state: 'done', verdicts: { accepted: rows - rows / REPORT_EVERY, tallied: rows / REPORT_EVERY } })

  // What is no file, and what is still being written.
  await mkdir(join(dir, source, 'inbox', 'folder.csv'))
  await symlink('/etc/hostname', join(dir, source, 'inbox', 'link.csv'))
  await writeFile(join(dir, source, 'inbox', 'empty.csv'), '')
  await writeFile(join(dir, source, 'inbox', 'upload.csv.part'), 'x')
  for (const name of ['folder.csv', 'link.csv']) expect((await reportOf(source, 'rejected', name)).problem).toMatchObject({ code: 'not-a-file' })
  expect((await reportOf(source, 'rejected', 'empty.csv')).problem).toMatchObject({ code: 'empty-file' })
  expect(await readdir(join(dir, source, 'inbox'))).toEqual(['upload.csv.part'])
  // A file stands in its place before the folder of its import goes.
  await eventually('nothing is left in work', async () => (await readdir(join(dir, source, 'working'))).length === 0)
}, 120_000)
