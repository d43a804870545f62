import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callersYaml } from '@hub/local/local-files'
import { sampleRecord } from '@hub/schemas/samples'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { between, seeded } from '../data/random.ts'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from '../replicator/log.ts'
import { freePort } from '../runtime/free-port.ts'

const SERVICE = fileURLToPath(new URL('../../services/credit-lookup/index.ts', import.meta.url))
const KEYS = { publisher: 'test-publisher', reader: 'test-reader', operator: 'test-operator' }
const CODES = Array.from({ length: 40 }, (_, n) => `91330100MA00000${n.toString().padStart(3, '0')}`)

let fixture: Fixture
let log: Log
let child: ChildProcess | undefined
let url: string
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
})
afterAll(async () => {
  child?.kill('SIGKILL')
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

it('killed again and again while everything changes, it gives the answers of a plain list', async () => {
  const random = seeded(7)
  const stateDir = await fixture.stateDir()
  const callersFile = join(stateDir, 'callers.yaml')
  await writeFile(callersFile, callersYaml('sh', KEYS))
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const { username, password } = fixture.credentials('sh')
  const env = {
    ...process.env, HUB_REGION: 'sh', HUB_KAFKA_BROKERS: fixture.brokers.join(','), HUB_KAFKA_USERNAME: username, HUB_KAFKA_PASSWORD: password, HUB_REGISTRY_URL: fixture.registryUrl, HUB_TOPIC_PREFIX: fixture.prefix, HUB_DATABASE_URL: await fixture.database(),
    HUB_STATE_DIR: stateDir, HUB_CALLERS_FILE: callersFile, HUB_LOOKUP_SNAPSHOT_SECONDS: '1', HUB_LOOKUP_PORT: String(port), HUB_LOG_LEVEL: 'error',
  }
  const launch = async (): Promise<void> => {
    child = spawn(process.execPath, [SERVICE], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    await eventually('the lookup is ready', async () => (await fetch(`${url}/readyz`)).status === 200, 40_000)
  }

  /** By record: its current version, and whom it lists. */
  const current = new Map<string, { version: number, code: string | undefined }>()
  for (let round = 0; round < 4; round++) {
    const events: Raw[] = []
    for (let n = 0; n < 250; n++) {
      const region = REGIONS[between(random, 0, 3)]!
      const no = `${region}-${between(random, 1, 60)}`
      const code = between(random, 1, 4) === 1 ? undefined : CODES[between(random, 0, CODES.length - 1)]!
      const version = between(random, 1, 60)
      events.push(await eventOf(region, no, version, code))
      // Of one version the first stands, whatever comes after it.
      if (version > (current.get(no)?.version ?? 0)) current.set(no, { version, code })
    }
    if (round === 0) await launch()
    await appendAll(events.slice(0, 125))
    // Some events are in a snapshot then, some in the files alone, some only on the log.
    const before = newestSnapshot(stateDir)
    await eventually('a snapshot', () => newestSnapshot(stateDir) > before)
    await appendAll(events.slice(125))
    if (round === 3) break
    child!.kill('SIGKILL')
    await once(child!, 'exit')
    await launch()
  }

  const expected = CODES.map((code) => [...current.values()].filter((one) => one.code === code).length)
  await eventually('the answers of a plain list', async () => {
    expect(await listingsOf(CODES)).toEqual(expected)
    return true
  })
}, 120_000)

async function appendAll(events: readonly Raw[]): Promise<void> {
  for (let at = 0; at < events.length; at += 25) await log.append(events.slice(at, at + 25))
}

function newestSnapshot(stateDir: string): string {
  return readdirSync(join(stateDir, 'credit-lookup')).filter((name) => name.endsWith('.snapshot')).sort().at(-1) ?? ''
}

/** How many active listings each code has. */
async function listingsOf(codes: readonly string[]): Promise<number[]> {
  const response = await fetch(`${url}/v1/credit/batch`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.reader}`, 'content-type': 'application/json' }, body: JSON.stringify({ codes }) })
  const lines = (await response.text()).trim().split('\n').map((line) => JSON.parse(line) as { listings: unknown[] })
  return lines.slice(1, -1).map(({ listings }) => listings.length)
}

function eventOf(region: Region, no: string, version: number, uscc: string | undefined): Promise<Raw> {
  if (uscc === undefined) return log.version({ region, stream: 'credit-blacklist', no, version, kind: 'removal' })
  const record = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
  return log.version({ region, stream: 'credit-blacklist', no, version, fields: { ...record, eventId: randomUUID(), recordId: `t12315/${no}`, version, region, subject: { ...record['subject'] as object, uscc } } })
}
