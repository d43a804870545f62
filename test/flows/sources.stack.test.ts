import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sourcesYaml } from '@hub/local/local-files'
import { sample } from '@hub/schemas/samples'
import { REGIONS, topicName, type Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

interface View {
  region: Region
  source: string
  state: string
  streams: string[]
  overdueSince: string | null
  declaration: { owner: string; contact: string } | null
  lastHandOver: { id: string; rows: number | null; way: string } | null
  baselineCompleteAt: string | null
  arrivingSince: string | null
}

let hub: Hub
beforeAll(async () => {
  hub = await openHub({ sources: (region) => sourcesYaml(readFileSync(new URL(`../../infra/regions/${region}/sources.yaml`, import.meta.url), 'utf8'), region) })
}, 90_000)
afterAll(() => hub?.[Symbol.asyncDispose]())

const all = async (at: Region): Promise<View[]> => ((await (await hub.request(at, 'reader', '/v1/sources')).json()) as { sources: View[] }).sources
const one = async (at: Region, source: string): Promise<View | undefined> => (await all(at)).find((view) => view.source === source)

async function everywhere(what: string, source: string, is: (view: View | undefined) => boolean, regions: readonly Region[] = REGIONS): Promise<void> {
  for (const region of regions) await eventually(`${what} in ${region}`, async () => is(await one(region, source)))
}

async function handOver(source: string, body: object): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await hub.request('zj', 'publisher', `/v1/sources/${source}/hand-over`, { body: JSON.stringify(body), type: 'application/json' })
  return { status: response.status, answer: await response.json() as Record<string, unknown> }
}

const complaint = (no: string): object => ({ ...sample('cn.yrd.complaint.Complaint'), region: 'zj', recordId: `zj-12315/${no}` })

/** What zj has published of its sources. */
async function told(): Promise<bigint> {
  const { rows } = await hub.db('zj').query<{ next: bigint }>('SELECT next_sequence AS next FROM outbox_head WHERE topic = $1', [topicName('zj', 'source-status', hub.fixture.prefix)])
  return rows[0]!.next
}

it('what a region declares is known in all four, with whom to call', async () => {
  for (const region of REGIONS) {
    const views = await eventually(`the sources of all in ${region}`, async () => {
      const found = await all(region)
      return found.length === 12 ? found : undefined
    })
    expect(new Set(views.map(({ state }) => state))).toEqual(new Set(['never']))
    expect(views.find(({ source }) => source === 'zj-12315')).toMatchObject({ region: 'zj', streams: ['complaint', 'tally'], declaration: { owner: '浙江省市场监督管理局12315指挥中心', contact: '12315' }, lastHandOver: null })
  }
})

it('a hand-over, told twice, counts once and is known in all four', async () => {
  await hub.publishOne('zj', 'complaint', complaint('1'))
  const body = { handOverId: 'first', rows: 1, baseline: true }
  const first = await handOver('zj-12315', body)
  expect(first).toMatchObject({ status: 201, answer: { source: 'zj-12315', handOverId: 'first', duplicate: false } })
  await everywhere('the hand-over', 'zj-12315', (view) => view?.state === 'fresh' && view.lastHandOver?.id === 'first')
  const before = await told()
  expect(await handOver('zj-12315', body)).toEqual({ status: 200, answer: { ...first.answer, duplicate: true } })
  expect(await handOver('zj-12315', { ...body, rows: 2 })).toMatchObject({ status: 409, answer: { code: 'HAND_OVER_CONFLICT' } })
  expect(await told()).toBe(before)
  expect(await one('ah', 'zj-12315')).toMatchObject({ lastHandOver: { id: 'first', rows: 1, way: 'api' }, baselineCompleteAt: first.answer['at'], arrivingSince: null })
})

it('a replica counts a hand-over once it has seen all of it, and not before; until then the one before stands', async () => {
  await hub.db('js').query(`ALTER TABLE complaint ADD CONSTRAINT held CHECK (record_id <> 'zj-12315/late') NOT VALID`)
  await hub.publishOne('zj', 'complaint', complaint('late'))
  expect((await handOver('zj-12315', { handOverId: 'second', rows: 1 })).status).toBe(201)
  await everywhere('the hand-over', 'zj-12315', (view) => view?.lastHandOver?.id === 'second', ['sh', 'zj', 'ah'])
  await everywhere('word of the hand-over', 'zj-12315', (view) => view?.state === 'arriving', ['js'])
  expect(await one('js', 'zj-12315')).toMatchObject({ lastHandOver: { id: 'first' }, overdueSince: null })
  await eventually('the metric', async () => /hub_source_age_seconds\{.*origin="zj".*source="zj-12315"/.test(await (await hub.request('js', 'operator', '/metrics')).text()))
  await hub.db('js').query('ALTER TABLE complaint DROP CONSTRAINT held')
  await hub.stop('js')
  await hub.start('js')
  await everywhere('all of it', 'zj-12315', (view) => view?.state === 'fresh' && view.lastHandOver?.id === 'second', ['js'])
}, 60_000)

it('an overdue source is told with since when, by the clock of the one who is asked', async () => {
  await hub.db('sh').query(`UPDATE source_hand_over SET at = at - interval '3 days' WHERE source = 'zj-12315'`)
  expect(await one('sh', 'zj-12315')).toMatchObject({ state: 'overdue', lastHandOver: { id: 'second' } })
  const { overdueSince } = (await one('sh', 'zj-12315'))!
  expect(Date.now() - Date.parse(overdueSince!)).toBeGreaterThan(86_400_000)
  await eventually('the answers about complaints saying it', async () => {
    const { meta } = await (await hub.request('sh', 'reader', '/v1/streams/complaint/records?limit=1')).json() as { meta: { freshness: { region: string; sources: object[] }[] } }
    const { streams } = await (await hub.request('sh', 'reader', '/v1/streams')).json() as { streams: { stream: string; regions: { region: string; sources: object[] }[] }[] }
    const told = [meta.freshness, streams.find(({ stream }) => stream === 'complaint')!.regions].map((regions) => regions.find(({ region }) => region === 'zj')!.sources)
    return told.every((sources) => JSON.stringify(sources).includes('"source":"zj-12315","state":"overdue"') && sources.length === 1)
  })
  await eventually('the metric', async () => /hub_source_overdue_seconds\{[^}]*source="zj-12315"[^}]*\} [1-9]/.test(await (await hub.request('sh', 'operator', '/metrics')).text()))
  expect(await (await hub.request('sh', 'operator', '/status')).text()).toMatch(/zj-12315[\s\S]*逾期[\s\S]*浙江省市场监督管理局12315指挥中心[\s\S]*12315/)
})

it('records of a source that nobody declares are shown as such', async () => {
  await hub.publishOne('ah', 'complaint', { ...complaint('x'), region: 'ah', recordId: 'ah-elsewhere/1' })
  await everywhere('the undeclared source', 'ah-elsewhere', (view) => view?.state === 'undeclared' && view.declaration === null && view.streams.join() === 'complaint')
})

it('a restart publishes nothing new; what changed in the file is published, and what is no longer in it is gone', async () => {
  const file = join(dirname(hub.callersFile('zj')), 'sources.yaml')
  const before = await told()
  await hub.stop('zj')
  await hub.start('zj')
  expect(await told()).toBe(before)
  const { sources } = JSON.parse(JSON.stringify((await import('yaml')).parse(readFileSync(file, 'utf8')))) as { sources: { id: string; owner: string }[] }
  writeFileSync(file, JSON.stringify({ sources: sources.filter(({ id }) => id !== 'zj-inspection').map((source) => (source.id === 'zj-12315' ? { ...source, owner: '浙江省消费者权益保护中心' } : source)) }))
  await hub.stop('zj')
  await hub.start('zj')
  expect(await told()).toBe(before + 2n)
  await everywhere('the new owner', 'zj-12315', (view) => view?.declaration?.owner === '浙江省消费者权益保护中心' && view.lastHandOver?.id === 'second', ['js', 'zj', 'ah'])
  await everywhere('the end of a declaration', 'zj-inspection', (view) => view === undefined)
}, 60_000)

it('the replicas are equal whatever was told of sources', () => hub.expectEqual())

it('a hand-over that is taken back counts nowhere any more: the one before is the last again', async () => {
  const before = (await one('ah', 'zj-12315'))!.lastHandOver!.id
  const client = hub.client('zj', 'publisher')
  const table = '登记编号,工单类型,登记时间,更新时间,办理状态,问题类别\nTB1,投诉,2026-03-05 08:00:00,2026-03-05 08:00:00,已受理,Q0001\n'
  const { id } = await client.importFile('zj-12315', [Buffer.from(table)], { file: 'back.csv', shape: 'complaint-table' })
  expect((await client.waitForImport(id)).state).toBe('done')
  await everywhere('the hand-over', 'zj-12315', (view) => view?.lastHandOver?.id === id)
  await client.revertImport(id)
  await everywhere('the one before', 'zj-12315', (view) => view?.lastHandOver?.id === before)
})
