import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '@hub/cli/doctor/check'
import type { Settings } from '@hub/cli/settings'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { runHub } from './run-hub.ts'

interface Published { summary: Record<string, number>, problems: { line?: number, problems?: { field: string }[] }[] }

let hub: Hub
let settings: Settings

beforeAll(async () => {
  hub = await openHub()
  const { fixture, keys } = hub
  settings = {
    kafka: { brokers: fixture.brokers, admin: fixture.credentials('admin') }, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix,
    regions: Object.fromEntries(REGIONS.map((region) => [region, { gateway: hub.url(region), keys, kafka: fixture.credentials(region), databaseUrl: hub.databaseUrl(region) }])),
  }
}, 60_000)
afterAll(() => hub[Symbol.asyncDispose]())

describe('from a terminal', () => {
  it('publish tells the verdicts, a bad line by its number, field and rule, and the rest goes on', async () => {
    const file = fileOf(complaint('cli-1'), { ...complaint('cli-2'), occurredOn: 'yesterday' }, complaint('cli-3'))
    const { exit, json } = await runHub(settings, ['publish', file, '--region', 'zj', '--stream', 'complaint'])
    const { summary, problems } = json as Published
    expect(exit).toBe(2)
    expect(summary).toMatchObject({ accepted: 2, refused: 1, total: 3 })
    expect(problems).toMatchObject([{ line: 2, problems: [{ field: 'occurredOn' }] }])
    const again = await runHub(settings, ['publish', fileOf(complaint('cli-1'), complaint('cli-3')), '--region', 'zj', '--stream', 'complaint'])
    expect(again).toMatchObject({ exit: 0, json: { summary: { duplicate: 2, total: 2 } } })
  })

  it('a rehearsal says the same verdicts and publishes nothing', async () => {
    const args = ['publish', '-', '--region', 'js', '--stream', 'complaint']
    const line = `${JSON.stringify(complaint('cli-dry'))}\n`
    expect(await runHub(settings, [...args, '--dry-run'], { stdin: line })).toMatchObject({ exit: 0, json: { summary: { accepted: 1 } } })
    expect(await runHub(settings, args, { stdin: line })).toMatchObject({ exit: 0, json: { summary: { accepted: 1 } } })
  })

  it('what one region published is read in the others, and its receipt says where it has arrived', async () => {
    const found = await eventually('the record in ah', async () => {
      const { exit, json } = await runHub(settings, ['records', '12315/cli-1', '--region', 'ah', '--stream', 'complaint'])
      return exit === 0 ? (json as { records: { eventId: string, region: string }[] }).records[0] : undefined
    })
    expect(found.region).toBe('zj')
    await eventually('arrived in all four', async () => {
      const { json } = await runHub(settings, ['receipt', found.eventId, '--region', 'zj'])
      return (json as { regions: { state: string }[] }).regions.every(({ state }) => state === 'arrived')
    })
  })

  it('an unknown stream and a wrong key are told apart: 2 and 3', async () => {
    expect(await runHub(settings, ['publish', fileOf(complaint('x')), '--region', 'zj', '--stream', 'gossip'])).toMatchObject({ exit: 2 })
    const guessed = { ...settings, regions: { zj: { ...settings.regions.zj!, keys: { reader: 'guessed' } } } }
    expect(await runHub(guessed, ['records', '12315/cli-1', '--region', 'zj', '--stream', 'complaint'])).toMatchObject({ exit: 3 })
  })

  it('lag and verify see every topic in every replica, and the replicas are equal', async () => {
    await hub.settled()
    const { exit, json } = await runHub(settings, ['lag'])
    expect(exit).toBe(0)
    expect((json as { replica: string }[]).map(({ replica }) => replica)).toEqual([...REGIONS])
    const verified = await runHub(settings, ['verify'])
    expect(verified).toMatchObject({ exit: 0, json: { equal: true } })
    expect((verified.json as { topics: unknown[] }).topics).toHaveLength(REGIONS.length * DATA_STREAMS.length)
  })
})

describe('hub doctor', () => {
  it('finds a hub healthy, on every line, soon after its start', async () => {
    const json = await eventually('all is well', async () => {
      const ended = await runHub(settings, ['doctor'])
      if (ended.exit !== 0) throw new Error(badOf(ended.json).join(', '))
      return ended.json
    })
    expect(findingsOf(json).map(({ state }) => state)).toEqual(findingsOf(json).map(() => 'ok'))
  })

  it('a broker that is not there is named within ten seconds, and the rest is still looked at', async () => {
    const began = performance.now()
    const { exit, json } = await runHub({ ...settings, kafka: { ...settings.kafka!, brokers: ['127.0.0.1:1'] } }, ['doctor'])
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(exit).toBe(3)
    expect(badOf(json)).toEqual(['broker'])
    expect(findingsOf(json).filter(({ state }) => state === 'ok').map(({ name }) => name)).toEqual(expect.arrayContaining(['registry', 'replica sh', 'gateway ah']))
  })

  it('a broker and a registry that take connections and say nothing are named within ten seconds too', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    try {
      const began = performance.now()
      const { exit, json } = await runHub({ ...settings, kafka: { ...settings.kafka!, brokers: [address] }, registryUrl: `http://${address}` }, ['doctor'])
      expect(performance.now() - began).toBeLessThan(10_000)
      expect(exit).toBe(3)
      expect(badOf(json)).toEqual(['broker', ...REGIONS.map((region) => `broker login ${region}`), 'registry'])
    } finally {
      silent.close()
    }
  })

  it('a registry, a database and a gateway that are not there are each named', async () => {
    expect(badOf((await runHub({ ...settings, registryUrl: 'http://127.0.0.1:1/apis/ccompat/v7' }, ['doctor'])).json)).toEqual(['registry'])
    const zj = settings.regions.zj!
    const database = await runHub({ ...settings, regions: { ...settings.regions, zj: { ...zj, databaseUrl: 'postgres://hub@127.0.0.1:1/hub_zj' } } }, ['doctor'])
    expect([database.exit, badOf(database.json)]).toEqual([3, ['database zj']])
    const gateway = await runHub({ ...settings, regions: { ...settings.regions, zj: { ...zj, gateway: 'http://127.0.0.1:1' } } }, ['doctor'])
    expect([gateway.exit, badOf(gateway.json)]).toEqual([3, ['gateway zj']])
  })

  it('a paused partition is wrong, not missing: 1', async () => {
    await hub.db('js').query(`UPDATE relay_position SET paused_reason = 'SEQUENCE_GAP' WHERE topic = $1 AND partition = 0`, [`${hub.fixture.prefix}js.tally`])
    try {
      const { exit, json } = await runHub({ ...settings, regions: { js: { keys: {}, databaseUrl: settings.regions.js!.databaseUrl!, gateway: hub.url('sh') } } }, ['doctor'])
      expect([exit, badOf(json)]).toEqual([1, ['outbox js']])
    } finally {
      await hub.db('js').query('UPDATE relay_position SET paused_reason = NULL')
    }
  })

  it('topics that nobody applied are named', async () => {
    const { exit, json } = await runHub({ ...settings, topicPrefix: `${hub.fixture.prefix}none-`, regions: settings.regions }, ['doctor'])
    expect(exit).toBe(3)
    expect(badOf(json)).toEqual(expect.arrayContaining(['topics', 'rights']))
  })
})

/** Without a region, so that any may publish it. */
function complaint(no: string): Record<string, unknown> {
  const { region: _region, ...event } = sample('Complaint') as Record<string, unknown>
  return { ...event, recordId: `12315/${no}` }
}

function fileOf(...events: object[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'yrd-hub-cli-')), 'events.ndjson')
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  return file
}

function findingsOf(json: unknown): Finding[] {
  return (json as { findings: Finding[] }).findings
}

function badOf(json: unknown): string[] {
  return findingsOf(json).filter(({ state }) => state === 'wrong' || state === 'missing').map(({ name }) => name)
}
