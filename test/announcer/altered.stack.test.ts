import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Edition } from '@hub/announcer/edition/model'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openDesks, signedBy, type Desks } from './desk.ts'

let hub: Hub
let desks: Desks

beforeAll(async () => {
  hub = await openHub({ announcers: true })
  desks = openDesks(hub, '315-week', 2026)
  for (const region of REGIONS) await hub.publish(region, 'complaint', [...complaints(60, 5, region)].map((event) => ({ ...event, registeredOn: '2026-03-1' + (event.recordId.length % 6), registeredAt: undefined })))
  await hub.settled()
}, 120_000)
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

const received = (edition: Edition): number => edition.statement.figures!.counts.find(({ definition }) => definition === 'received@1')!.counts.total

async function acts(region: Region): Promise<string[]> {
  return (await hub.db(region).query<{ act: string }>(`SELECT what || ' ' || target AS act FROM audit WHERE what LIKE 'repair %' ORDER BY at`)).rows.map(({ act }) => act)
}

it('a replica that was altered by hand dissents and names the record or the number; repaired, it signs, with what it copied at the cut put right too', async () => {
  const { rows: [row] } = await hub.db('js').query<{ record_id: string }>(`UPDATE complaint SET state = 'closed' WHERE record_id = (SELECT min(record_id) FROM complaint WHERE region = 'zj' AND state <> 'closed' AND NOT ended) RETURNING record_id`)
  // Copied by the marker that is to come, where no repair of today's counts reaches it.
  const { rows: [cell] } = await hub.db('ah').query<{ day: string }>(
    `UPDATE complaint_day SET n = n + 7 WHERE ctid = (SELECT ctid FROM complaint_day WHERE region = 'sh' AND day BETWEEN '2026-03-09' AND '2026-03-15' LIMIT 1) RETURNING day::text AS day`)
  await desks.run()
  const dissents = await desks.until('js and ah dissent', 'sh', ({ draft }) => draft !== null && draft.regions.js.dissent !== null && draft.regions.ah.dissent !== null, 60_000)
  expect(dissents.draft!.regions.js.dissent!.records).toEqual([row!.record_id])
  expect(dissents.draft!.regions.ah.dissent!.records).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^complaint_day/${cell!.day}/`)), expect.stringMatching(/^315-week\/2026\/complaint_day\/2026-03-09\//)]))

  await desks.until('all have signed', 'sh', signedBy, 60_000)
  for (const region of REGIONS) {
    await desks.until('its own signature', region, (state) => signedBy(state, [region]))
    await desks.approve(region)
  }
  const files = await Promise.all(REGIONS.map((region) => eventually(`${region} publishes`, () => desks.file(region), 30_000)))
  expect(new Set(files).size).toBe(1)
  const { rows: [counted] } = await hub.db('zj').query<{ n: bigint }>(`SELECT count(*) AS n FROM complaint WHERE registered_on BETWEEN '2026-03-09' AND '2026-03-15'`)
  expect(received(JSON.parse(files[0]!) as Edition)).toBe(Number(counted!.n))
  expect(await acts('js')).toEqual([expect.stringMatching(new RegExp(`^repair changed .*zj\\.complaint/\\d/${row!.record_id}$`))])
  expect((await acts('ah')).filter((act) => act.includes('/315-week/2026/complaint_day/'))).toHaveLength(1)
}, 180_000)

it('what was copied at the cut and altered later is told from what was published, and put right from the log', async () => {
  const { rows: [altered] } = await hub.db('zj').query<{ topic: string; partition: number }>(
    `WITH changed AS (UPDATE cut_complaint_day SET n = n + 1 WHERE ctid = (SELECT d.ctid FROM cut_complaint_day d WHERE day BETWEEN '2026-03-09' AND '2026-03-15' LIMIT 1) RETURNING cut)
     SELECT topic, partition FROM cut JOIN changed ON changed.cut = cut.number`)
  const recomputed = async (): Promise<object> => (await desks.call('zj', 'officer', 'POST', '/v1/desk/announcements/315-week/2026/recomputations', { edition: 1 })).body
  expect(await recomputed()).toMatchObject({ recomputable: true, same: false })
  const { rows: [request] } = await hub.db('zj').query<{ id: bigint }>(`INSERT INTO scrub_request (kind, topic, partition, who, why) VALUES ('repair', $1, $2, 'zhang', 'a copy was altered') RETURNING id`, [altered!.topic, altered!.partition])
  const outcome = await eventually('the repair', async () => (await hub.db('zj').query<{ outcome: { repaired: number } | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]!.outcome ?? undefined, 30_000)
  expect(outcome).toMatchObject({ repaired: 1, different: 0 })
  expect(await recomputed()).toMatchObject({ recomputable: true, same: true, changes: [] })
}, 60_000)
