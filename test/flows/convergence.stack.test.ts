import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Settings } from '@hub/cli/settings'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, REGIONS, topicName } from '@hub/schemas/streams'
import { runHub } from '../cli/run-hub.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

interface Answer {
  verdict: string
  asOf: string | null
  since: string | null
  topics: { origin: string; stream: string; verdict: string; asOf: string | null }[]
  regions: { region: string; silent: boolean }[]
  scrub: { looked: number; partitions: number; different: number }
  partitions: { topic: string; partition: number; verdict: string; replicas: { region: string; digest: string | null }[]; scrub: { findings: unknown[] } | null }[]
}

interface Deep { equal: boolean; replicas: { region: string; repaired: number; different: number; findings: { recordId: string; what: string; fields: { field: string; here: string | null; log: string | null }[] }[] }[] }

let hub: Hub
let settings: Settings

beforeAll(async () => {
  hub = await openHub()
  const { fixture, keys } = hub
  settings = { kafka: { brokers: fixture.brokers, admin: fixture.credentials('admin') }, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, regions: Object.fromEntries(REGIONS.map((region) => [region, { gateway: hub.url(region), keys, databaseUrl: hub.databaseUrl(region) }])) }
  for (const region of REGIONS) for (let no = 0; no < 8; no++) await hub.publishOne(region, 'complaint', { ...sample('cn.yrd.complaint.Complaint'), region, recordId: `12315/${region}-${no}` })
  await hub.settled()
}, 90_000)
afterAll(() => hub?.[Symbol.asyncDispose]())

/** The next heartbeat of every region is the one that cuts checkpoints. */
async function cutNow(): Promise<void> {
  for (const region of REGIONS) await hub.db(region).query('UPDATE heartbeat SET number = number / 30 * 30 + 29')
}

async function answerOf(region: (typeof REGIONS)[number], role: 'operator' | 'reader' = 'operator'): Promise<Answer> {
  return (await hub.request(region, role, '/v1/convergence')).json() as Promise<Answer>
}

const page = async (region: (typeof REGIONS)[number]): Promise<string> => (await hub.request(region, 'reader', '/convergence')).text()

it('before the first common checkpoint nobody claims anything, and the reason is told', async () => {
  const answer = await answerOf('sh')
  if (answer.verdict === 'equal') return // the cut of this minute came first
  expect(answer).toMatchObject({ verdict: 'unknown', asOf: null })
  expect(answer.topics).toHaveLength(REGIONS.length * DATA_STREAMS.length)
})

it('all four say the same of each other, up to when and since when; the page says it in words', async () => {
  await cutNow()
  for (const region of REGIONS) {
    const answer = await eventually(`equal in ${region}`, async () => {
      const found = await answerOf(region)
      return found.verdict === 'equal' ? found : undefined
    }, 60_000)
    expect(answer.asOf).not.toBeNull()
    expect(answer.since).not.toBeNull()
    expect(answer.regions.filter(({ silent }) => silent)).toEqual([])
    for (const { topic, partition, replicas } of answer.partitions) expect([topic, partition, new Set(replicas.map(({ digest }) => digest)).size]).toEqual([topic, partition, 1])
    const text = await page(region)
    expect(text).toMatch(/<p class="ok">一致，截至 \d{4}-\d\d-\d\d \d\d:\d\d/)
    expect(text).not.toContain('<script')
    expect(text).toContain('width=device-width')
  }
})

it('a row changed by hand in one replica: hub verify --deep names record, field and both values, repairs, and the replicas are equal', async () => {
  await hub.db('js').query(`UPDATE complaint SET state = 'refused' WHERE record_id = '12315/zj-3'`)
  const { rows: [was] } = await hub.db('sh').query<{ state: string }>(`SELECT state FROM complaint WHERE record_id = '12315/zj-3'`)
  const { exit, json } = await runHub(settings, ['verify', '--deep'])
  const { equal, replicas } = json as Deep
  expect({ exit, equal }).toEqual({ exit: 1, equal: true })
  expect(replicas.map(({ region, repaired }) => [region, repaired])).toEqual(REGIONS.map((region) => [region, region === 'js' ? 1 : 0]))
  expect(replicas.find(({ region }) => region === 'js')!.findings).toEqual([{ recordId: '12315/zj-3', what: 'changed', fields: [{ field: 'state', here: 'refused', log: was!.state }] }])
  expect(await runHub(settings, ['verify', '--deep'])).toMatchObject({ exit: 0, json: { equal: true } })
  expect((await answerOf('js')).scrub).toMatchObject({ different: 0, looked: (await answerOf('js')).scrub.partitions })
  await hub.expectEqual()
})

it('which records differed is told to operators alone', async () => {
  await hub.db('ah').query(`UPDATE complaint SET disputed_fen = 3 WHERE record_id = '12315/sh-1'`)
  const { exit, out } = await runHub(settings, ['verify', '--deep'], { json: false })
  expect(exit).toBe(1)
  expect(out).toContain('disputed_fen')
  const told = async (role: 'operator' | 'reader'): Promise<unknown[]> => (await answerOf('ah', role)).partitions.flatMap(({ scrub }) => scrub?.findings ?? [])
  expect(await told('operator')).toMatchObject([{ recordId: '12315/sh-1' }])
  expect(await told('reader')).toEqual([])
})

it('a replica that holds something else is told apart by all four within a checkpoint; hub repair ends it', async () => {
  const topic = topicName('zj', 'complaint', hub.fixture.prefix)
  const { rows: [place] } = await hub.db('js').query<{ partition: number }>(`SELECT partition FROM complaint WHERE record_id = '12315/zj-5'`)
  const { partition } = place!
  await hub.db('js').query('UPDATE consumer_offset SET digest_hi = digest_hi # 1 WHERE topic = $1 AND partition = $2', [topic, partition])
  await cutNow()
  for (const region of REGIONS) {
    const answer = await eventually(`different, says ${region}`, async () => {
      const found = await answerOf(region)
      return found.verdict === 'different' ? found : undefined
    }, 60_000)
    expect(answer.topics.filter(({ verdict }) => verdict === 'different')).toMatchObject([{ origin: 'zj', stream: 'complaint' }])
    const wrong = answer.partitions.filter(({ verdict }) => verdict === 'different')
    expect(wrong.map((one) => [one.topic, one.partition])).toEqual([[topic, partition]])
    const digests = new Map(wrong[0]!.replicas.map(({ region: one, digest }) => [one, digest]))
    expect(REGIONS.filter((one) => digests.get(one) !== digests.get('sh'))).toEqual(['js'])
    expect(await page(region)).toContain('不一致，自 ')
  }
  expect(await runHub(settings, ['repair', topic, String(partition), '--region', 'js'], { json: false })).toMatchObject({ exit: 2 })
  expect(await runHub(settings, ['repair', topic, String(partition), '--region', 'js', '--why', 'the page said 不一致'])).toMatchObject({ exit: 0, json: { replicas: [{ region: 'js', repaired: 1, different: 0 }] } })
  expect((await hub.db('js').query('SELECT what, why FROM audit ORDER BY number DESC LIMIT 1')).rows).toEqual([{ what: 'correct digest', why: 'the page said 不一致' }])
  await cutNow()
  for (const region of REGIONS) await eventually(`equal again, says ${region}`, async () => (await answerOf(region)).verdict === 'equal', 60_000)
})
