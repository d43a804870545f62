import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { sample } from '@hub/schemas/samples'
import type { Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { expireLeases, spawnStruck } from '../faults/struck.ts'
import { openHub, type Hub } from '../hub.ts'
import { freePort } from '../runtime/free-port.ts'

const REGIONS: readonly Region[] = ['sh', 'zj']
let hub: Hub

beforeAll(async () => { hub = await openHub({ regions: REGIONS }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

/** A day in Shanghai, so many days from today. */
function day(from: number): string {
  return dateText(shanghaiDay(Date.now()) + from)
}

function listing(no: string, fields: object): object {
  const { eventId: _, ...event } = sample('cn.yrd.credit_blacklist.CreditRecord')
  return { ...event, recordId: `zj-credit/${no}`, version: 1, ...fields }
}

function penalty(no: string, publicUntil: string): object {
  const { eventId: _, ...event } = sample('cn.yrd.credit_blacklist.CreditRecord', 'penalty')
  return { ...event, region: 'zj', recordId: `zj-credit/${no}`, version: 1, penalty: { ...event['penalty'] as object, publicUntil } }
}

interface Row { kind: string, version: number, ended: boolean, name: string | null }

async function row(region: Region, no: string): Promise<Row | undefined> {
  const { rows: [found] } = await hub.db(region).query<Row>(`SELECT kind, version::float8 AS version, ended, name FROM credit_blacklist WHERE record_id = $1`, [`zj-credit/${no}`])
  return found
}

async function everywhere(what: string, no: string, is: Partial<Row>): Promise<void> {
  for (const region of REGIONS) await eventually(`${no} ${what} in ${region}`, async () => {
    expect(await row(region, no)).toMatchObject(is)
    return true
  })
}

/** A gateway that was down and starts looks at once. */
async function restart(): Promise<void> {
  await hub.settled(45_000)
  await hub.stop('zj')
  await hub.start('zj')
}

test('what is past its own date ends everywhere, as of the day after, and what is not stays', async () => {
  const events = [listing('past', { until: day(-3) }), listing('yesterday', { until: day(-1) }), listing('today', { until: day(0) }), listing('open', {}), penalty('penalty', day(-40)), penalty('public', day(40))]
  const { summary } = await hub.publish('zj', 'credit-blacklist', events)
  expect(summary).toMatchObject({ accepted: events.length })
  await restart()
  for (const no of ['past', 'yesterday', 'penalty']) await everywhere('has ended', no, { kind: 'expiry', version: 2, ended: true, name: null })
  for (const no of ['today', 'open', 'public']) expect(await row('sh', no)).toMatchObject({ kind: 'original', version: 1, ended: false })
})

test('a late correction of its source is taken under its next number: it ends again while its date is past, and stands once it is not', async () => {
  const correct = async (version: number, until: string): Promise<unknown> => (await hub.publishOne('zj', 'credit-blacklist', listing('past', { version, until, groundText: '更正' })))
  expect(await hub.publishOne('zj', 'credit-blacklist', listing('past', { until: day(-3) }))).toMatchObject({ verdict: 'duplicate', version: 1 })
  expect(await correct(2, day(-2))).toMatchObject({ verdict: 'new-version', version: 3 })
  await restart()
  await everywhere('has ended again', 'past', { kind: 'expiry', version: 4 })
  expect(await correct(3, day(30))).toMatchObject({ verdict: 'new-version', version: 5 })
  await restart()
  await everywhere('stands', 'past', { kind: 'original', version: 5, ended: false })
})

test('killed in the middle and started again twice at once: every record ends once', async () => {
  const events = Array.from({ length: 1_200 }, (_, i) => listing(`wave-${String(i).padStart(4, '0')}`, { until: day(-1) }))
  await hub.publish('zj', 'credit-blacklist', events)
  await hub.settled(45_000)
  await hub.stop('zj')
  const { child } = await spawnStruck(hub, 'zj', { point: 'publish.committed', at: 1, action: 'exit' })
  await eventually('it is dead', () => child.exitCode !== null || child.signalCode !== null)
  await expireLeases(hub, 'zj')
  const acts = async (): Promise<{ acts: number, records: number }> => (await hub.db('zj').query<{ acts: number, records: number }>(
    `SELECT count(*)::int AS acts, count(DISTINCT record_id)::int AS records FROM published WHERE kind = 'expiry' AND record_id LIKE 'zj-credit/wave-%'`)).rows[0]!
  expect(await acts()).toEqual({ acts: 500, records: 500 })
  const both = await Promise.all([hub.spawn('zj'), hub.spawn('zj', { port: await freePort() })])
  await eventually('all have ended', async () => (await acts()).acts >= events.length)
  expect(await acts()).toEqual({ acts: events.length, records: events.length })
  for (const region of REGIONS) {
    await eventually(`all are stubs in ${region}`, async () => {
      const { rows } = await hub.db(region).query<{ kind: string, rows: number }>(`SELECT kind, count(*)::int AS rows FROM credit_blacklist WHERE record_id LIKE 'zj-credit/wave-%' GROUP BY kind`)
      expect(rows).toEqual([{ kind: 'expiry', rows: events.length }])
      return true
    })
  }
  await Promise.all(both.map(async (process) => {
    process.kill('SIGTERM')
    await once(process, 'exit')
  }))
})
