import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GatewayError, type Import } from '@hub/client'
import { FAILPOINTS, type Strike } from '@hub/runtime/failpoint'
import { complaintTable, REPORT_EVERY } from '../data/complaint-table.ts'
import { eventually } from '../eventually.ts'
import { endNow, expireLeases, spawnStruck } from '../faults/struck.ts'
import { openHub, type Hub } from '../hub.ts'

const ROWS = 3_000
const REPORTS = ROWS / REPORT_EVERY
const TABLE = Buffer.from([...complaintTable(ROWS)].join(''))
const SHAPE = 'complaint-table'

/** Where the process ends itself while a file of a source of its own is handed over: by HTTP, from a watched folder, or while it is taken back. */
const KILLS: readonly { readonly point: Strike['point']; readonly at?: number; readonly way: 'http' | 'inbox' | 'revert' }[] = [
  { point: 'import.stored', way: 'http' },
  { point: 'import.placed', way: 'http' },
  { point: 'import.received', way: 'http' },
  { point: 'import.begun', way: 'http' },
  { point: 'import.batch-committed', at: 2, way: 'http' },
  { point: 'import.acts-committed', way: 'http' },
  { point: 'import.read', way: 'http' },
  { point: 'import.finished', way: 'http' },
  { point: 'import.inbox-moved', way: 'inbox' },
  { point: 'import.inbox-reported', way: 'inbox' },
  { point: 'import.inbox-put', way: 'inbox' },
  { point: 'import.reverted', at: 2, way: 'revert' },
]
const sourceOf = (n: number): string => `struck-${n}`

let hub: Hub
let inboxes: string

beforeAll(async () => {
  inboxes = await mkdtemp(join(tmpdir(), 'yrd-hub-inbox-'))
  const sources = KILLS.map((_, n) => ({ id: sourceOf(n), owner: '江苏省市场监督管理局12315指挥中心', contact: '12315', streams: ['complaint', 'tally'], caller: 'js-local-publisher', mode: 'changes', cadence: 'P1D', versionRule: 'update-time' }))
  hub = await openHub({ regions: [], config: { inboxDir: inboxes }, sources: () => JSON.stringify({ sources }) })
  await endNow(await hub.spawn('js')) // so that its database is there
})
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
  await rm(inboxes, { recursive: true, force: true })
})

test('every step of an import is struck', () => {
  expect(KILLS.map(({ point }) => point).toSorted()).toEqual(FAILPOINTS.filter((point) => point.startsWith('import.')).toSorted())
})

test('killed at every step, a file is in once, with the counts of one that was not; taken back, all of it is', { timeout: 360_000 }, async () => {
  for (const [n, { point, at = 1, way }] of KILLS.entries()) {
    const source = sourceOf(n)
    if (way !== 'http') await calm(() => imported(source))
    await expireLeases(hub, 'js')
    const { child, struck } = await spawnStruck(hub, 'js', { point, at, action: 'exit' })
    const asked = act(source, way)
    await struck()
    if (child.signalCode === null) await once(child, 'exit')
    expect([point, child.signalCode]).toEqual([point, 'SIGKILL'])
    // Nobody who was not answered knows whether the file is there: it is handed over again.
    const again = await asked
    await calm(async () => {
      await settledAs(source, way, again)
      await judge(source, way)
    })
  }

  async function act(source: string, way: string): Promise<'again' | 'answered'> {
    try {
      if (way === 'http') await handOver(source)
      else if (way === 'revert') await hub.client('js', 'publisher').revertImport((await importsOf(source))[0]!.id)
      else await writeFile(join(inboxes, source, 'inbox', 'second.csv'), TABLE)
      return 'answered'
    } catch (error) {
      if (error instanceof GatewayError || error instanceof TypeError) return 'again'
      throw error
    }
  }
})

/** Runs a process without strikes for as long as `work` takes. */
async function calm(work: () => Promise<void>): Promise<void> {
  await expireLeases(hub, 'js')
  const child = await hub.spawn('js')
  await work()
  await endNow(child)
}

async function handOver(source: string): Promise<void> {
  await hub.client('js', 'publisher').importFile(source, [TABLE], { file: 'export.csv', shape: SHAPE })
}

async function importsOf(source: string): Promise<readonly Import[]> {
  return (await hub.client('js', 'publisher').listImports({ source })).imports
}

/** The first file of a source, with a person who confirms what it is taken for, so that a watched folder knows its columns. */
async function imported(source: string): Promise<void> {
  const { id } = await hub.client('js', 'publisher').importFile(source, [TABLE], { file: 'first.csv' })
  const isAt = (state: Import['state']) => eventually(`the first file of ${source} is ${state}`, async () => (await importsOf(source))[0]?.state === state, 60_000)
  await isAt('waiting-confirmation')
  await hub.client('js', 'publisher').confirmImport(id)
  await isAt('done')
  await mkdir(join(inboxes, source, 'inbox'), { recursive: true })
}

async function settledAs(source: string, way: string, told: 'again' | 'answered'): Promise<void> {
  if (told === 'again' && way === 'http') await handOver(source)
  if (told === 'again' && way === 'revert') {
    const [first] = await importsOf(source)
    if (first!.state === 'done') await hub.client('js', 'publisher').revertImport(first!.id)
  }
  await eventually(`${source} has ended`, async () => {
    const imports = await importsOf(source)
    return imports.length > 0 && imports.every(({ state }) => state === (way === 'revert' ? 'reverted' : 'done'))
  }, 60_000)
  if (way === 'inbox') await eventually('its file stands in its place', async () => (await readdir(join(inboxes, source, 'working'))).length === 0 && (await readdir(join(inboxes, source, 'done'))).includes('second.csv'), 60_000)
  await eventually('no file of an import is left', async () => (await readdir(join(dirname(hub.callersFile('js')), 'imports'))).every((name) => name === 'gateway'))
}

async function judge(source: string, way: string): Promise<void> {
  const { rows: [found] } = await hub.db('js').query<{ complaints: number, records: number, tallies: number }>(
    `SELECT count(*) FILTER (WHERE topic LIKE '%.complaint')::int AS complaints, count(DISTINCT record_id) FILTER (WHERE topic LIKE '%.complaint')::int AS records, count(*) FILTER (WHERE topic LIKE '%.tally')::int AS tallies
       FROM published WHERE record_id LIKE $1`, [`${source}/%`])
  const records = ROWS - REPORTS
  expect([source, found]).toMatchObject([source, { complaints: way === 'revert' ? 2 * records : records, records }])
  const imports = await importsOf(source)
  const first = imports.at(-1)!
  expect([source, first]).toMatchObject([source, { rows: ROWS, verdicts: { accepted: records, tallied: REPORTS } }])
  expect(found!.tallies).toBeGreaterThan(0)
  if (way !== 'revert') expect([source, first.events]).toEqual([source, found!.complaints + found!.tallies])
  for (const later of imports.slice(0, -1)) expect([source, later.events, later.rows]).toEqual([source, 0, ROWS])
  const { rows: handOvers } = await hub.db('js').query<{ id: string }>('SELECT id FROM hand_over WHERE source = $1', [source])
  expect(handOvers.map(({ id }) => id).toSorted()).toEqual(way === 'revert' ? [] : imports.map(({ id }) => id).toSorted())
  const { rows: counted } = await hub.db('js').query(`SELECT 1 FROM import_memory WHERE source = $1 AND part = 'reports'`, [source])
  expect([source, counted.length]).toEqual([source, way === 'revert' ? 0 : REPORTS])
  expect((await hub.db('js').query('SELECT 1 FROM import_cell WHERE source = $1', [source])).rows).toEqual([])
}
