import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { childEnv } from '@hub/local/child-env'
import { cacheDir, REPO_ROOT } from '@hub/local/paths'
import { REGIONS } from '@hub/schemas/streams'
import { STATED } from '../announcer/sample-cells.ts'
import { freePorts } from '../free-ports.ts'

const DEADLINE_MS = 300_000

interface Demo { equal: boolean, files: { state: string, rows: number }[] }
interface Announced {
  edition: {
    approved: { region: string }[], recomputed: { region: string }[]
    statement: { campaign: string, figures: { counts: { definition: string, counts: Record<string, number> }[] } }
  }
}

let dataDir: string

beforeAll(async () => { dataDir = await mkdtemp(join(tmpdir(), 'yrd-hub-start-')) })
afterAll(() => rm(dataDir, { recursive: true, force: true }))

test('npm start -- --exit, on nothing: the sample is in, four replicas are equal, two announcements are signed by four with the figures that the data state', async () => {
  const { status, out, said } = await start('--exit', '--json', '--data', dataDir, '--first-port', String(await freePorts()))
  expect(status, `${said}${out.slice(-2000)}`).toBe(0)
  const [demo, ...announced] = jsonValues(out) as [Demo, ...Announced[]]
  expect(demo.equal).toBe(true)
  expect(demo.files.every(({ state, rows }) => state === 'done' && rows > 0)).toBe(true)
  expect(announced.map(({ edition }) => edition.statement.campaign)).toEqual(['spring-festival', '315-week'])
  for (const [n, window] of ['spring-festival-2026', '315-2026'].entries()) {
    const { approved, recomputed, statement } = announced[n]!.edition
    for (const signed of [approved, recomputed]) expect(signed.map(({ region }) => region).sort()).toEqual([...REGIONS].sort())
    for (const place of [...REGIONS, 'total'] as const) {
      const { received, counted, accepted } = STATED.complaints[place].windows[window]!
      expect(Object.fromEntries(statement.figures.counts.map(({ definition, counts }) => [definition, counts[place]]))).toMatchObject({ 'received@1': received, 'counted@1': counted, 'accepted@1': accepted })
    }
  }
}, DEADLINE_MS)

test('a first port that cannot be one is refused, with what it may be', async () => {
  expect(await start('--first-port', '80')).toMatchObject({ status: 3, out: '', said: expect.stringContaining('--first-port is a whole number from 1024') as string })
})

async function start(...args: string[]): Promise<{ status: number | null, out: string, said: string }> {
  // A broker or database that this machine's environment names is not this test's.
  const child = spawn(process.execPath, [join(REPO_ROOT, 'infra/local/start.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: childEnv({ HUB_CACHE_DIR: cacheDir() }) })
  const [out, said, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>])
  return { status, out, said }
}

/** JSON objects one after another, the closing brace of each on a line of its own. */
function jsonValues(out: string): unknown[] {
  return out.split(/(?<=^\})\n/m).filter((one) => one.trim() !== '').map((one) => JSON.parse(one))
}
