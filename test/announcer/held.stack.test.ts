import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Edition } from '@hub/announcer/edition/model'
import { verifyEdition } from '@hub/announcer/edition/verify'
import { readPublicKeys, type PublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { join } from 'node:path'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openDesks, signedBy, type Desks } from './desk.ts'

const WAIT_MS = 60_000

let hub: Hub
let keys: Partial<Record<Region, PublicKeys>>

beforeAll(async () => {
  hub = await openHub({ announcers: true, config: { deadline: 5_000, silence: 1_000 } })
  keys = Object.fromEntries(await Promise.all(REGIONS.map(async (region) => [region, await readPublicKeys(join(hub.publicKeysDir, region, 'keys.yaml'))])))
  for (const region of REGIONS) await hub.publish(region, 'complaint', [...complaints(40, 11, region)].map((event) => ({ ...event, registeredOn: '2026-03-1' + (event.recordId.length % 6), registeredAt: undefined })))
  await hub.settled()
}, 120_000)
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

const counts = (edition: Edition): Readonly<Record<string, number | null>> => edition.statement.figures!.counts.find(({ definition }) => definition === 'received@1')!.counts

/** The edition that these regions sign and approve; the same bytes in each. */
async function edition(desks: Desks, number: number, regions: readonly Region[]): Promise<Edition> {
  for (const region of regions) {
    await eventually(`${region} signs edition ${number}`, async () => {
      const state = await desks.state(region)
      return (state.draft?.edition === number && signedBy(state, regions) && state.draft.statement.kind === (number === 1 ? 'partial' : 'erratum')) || undefined
    }, WAIT_MS)
    await desks.approve(region)
  }
  const files = await Promise.all(regions.map((region) => eventually(`${region} publishes edition ${number}`, () => desks.file(region, number), WAIT_MS)))
  expect(new Set(files).size).toBe(1)
  expect(verifyEdition(Buffer.from(files[0]!), keys)).toMatchObject({ valid: true, problems: [] })
  return JSON.parse(files[0]!) as Edition
}

/** Where the four come to one set of figures in the end, with those of everything that was received. */
async function completed(desks: Desks, missing: Region, first: Edition): Promise<void> {
  const second = await edition(desks, 2, REGIONS)
  expect(second.statement).toMatchObject({ kind: 'erratum', erratum: { corrects: { edition: 1, aggregates: first.digests.aggregates }, corrections: [{ region: missing, reason: 'region-returned' }] }, regions: { [missing]: { standing: expect.not.stringMatching('missing') as string } } })
  const { rows } = await hub.db(missing).query<{ region: Region; n: bigint }>(`SELECT region, count(*) AS n FROM complaint WHERE registered_on BETWEEN '2026-03-09' AND '2026-03-15' GROUP BY region`)
  const expected = Object.fromEntries(rows.map(({ region, n }) => [region, Number(n)]))
  expect(counts(second)).toMatchObject({ ...expected, total: rows.reduce((sum, { n }) => sum + Number(n), 0) })
  // What the three published while it was away is there too.
  expect(await eventually(`${missing} has edition 1`, () => desks.file(missing, 1), WAIT_MS)).toBe(await desks.file('js', 1))
}

it('a region cut off at the cut: held, released at the deadline with its name as missing, and completed by an erratum when it returns', async () => {
  const desks = openDesks(hub, '315-week', 2026)
  const others = REGIONS.filter((region) => region !== 'ah')
  await hub.stop('ah')
  await desks.run(others)
  expect((await desks.until('its cut', 'sh', ({ regions }) => regions.sh.cut === 9)).regions.ah).toMatchObject({ cut: 0, completeness: { standing: 'missing' } })
  const first = await edition(desks, 1, others)
  expect(first.statement).toMatchObject({ kind: 'partial', regions: { ah: { standing: 'missing' } } })
  expect(first.statement.title[0]).toContain('安徽')
  expect(first.recomputed.map(({ region }) => region).sort()).toEqual([...others].sort())
  expect(counts(first)).not.toMatchObject({ ah: expect.any(Number) as number })

  await hub.start('ah')
  await hub.settled()
  await desks.run(['ah'])
  await completed(desks, 'ah', first)
}, 240_000)

it('the lead falls silent after its cut: the next drafts, and at the deadline again without it', async () => {
  const desks = openDesks(hub, 'may-day', 2026)
  const others = REGIONS.filter((region) => region !== 'sh')
  await desks.run(['sh'])
  await eventually('the markers of sh are in zj', async () => (await hub.db('zj').query(`SELECT FROM cut WHERE campaign = 'may-day' AND year = 2026 AND region = 'sh'`)).rows.length === 9 || undefined, WAIT_MS)
  await hub.stop('sh')
  await desks.run(others)
  const drafted = await desks.until('a draft', 'js', ({ draft }) => draft !== null, WAIT_MS)
  expect(drafted.draft!.by).toBe('zj')
  const first = await edition(desks, 1, others)
  expect(first.statement).toMatchObject({ kind: 'partial', regions: { sh: { standing: 'missing' } } })
  expect(first.statement.title[0]).toContain('上海')
  await hub.start('sh')
  await hub.settled()
  const second = await edition(desks, 2, REGIONS)
  expect(second.statement).toMatchObject({ kind: 'erratum', erratum: { corrections: [{ region: 'sh', reason: 'region-returned' }] } })
}, 240_000)
