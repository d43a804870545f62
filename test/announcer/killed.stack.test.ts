import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { start } from '@hub/announcer'
import type { CampaignId } from '@hub/announcer/campaigns'
import type { Edition } from '@hub/announcer/edition/model'
import { verifyEdition } from '@hub/announcer/edition/verify'
import { FAILPOINTS, type FailpointName } from '@hub/runtime/failpoint'
import { createMetrics } from '@hub/runtime/metrics'
import { readPublicKeys, type PublicKeys } from '@hub/runtime/sign'
import { createWakeup } from '@hub/runtime/wakeup'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { join } from 'node:path'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { expireLeases, spawnStruck, type Struck } from '../faults/struck.ts'
import { openHub, type Hub } from '../hub.ts'
import { openDesks, signedBy, type Desks } from './desk.ts'

/** The lead, whose process is killed, and a region that runs two announcers. */
const [LEAD, TWICE]: readonly [Region, Region] = ['sh', 'zj']
const DEADLINE_MS = 120_000

/** At which step of which announcement the lead is killed. */
const KILLS: readonly { readonly campaign: CampaignId; readonly year: number; readonly point: FailpointName; readonly said?: string }[] = [
  { campaign: '315-week', year: 2026, point: 'announce.opened' },
  { campaign: 'spring-festival', year: 2026, point: 'announce.heads-locked' },
  { campaign: 'may-day', year: 2026, point: 'announce.markers-written' },
  { campaign: 'national-day', year: 2026, point: 'announce.markers-committed' },
  { campaign: '315', year: 2026, point: 'announce.computed' },
  { campaign: '315-week', year: 2025, point: 'announce.said', said: 'draft' },
  { campaign: 'may-day', year: 2025, point: 'announce.said', said: 'recomputed' },
  { campaign: '315-week', year: 2024, point: 'announce.said', said: 'approved' },
  { campaign: 'may-day', year: 2024, point: 'announce.published' },
]

let hub: Hub
let keys: Partial<Record<Region, PublicKeys>>
let second: AsyncDisposable
/** The lead's process, which is to be killed at the next step. */
let lead: Struck

beforeAll(async () => {
  hub = await openHub({ regions: REGIONS.filter((region) => region !== LEAD), announcers: true })
  await hub.prepare(LEAD)
  keys = Object.fromEntries(await Promise.all(REGIONS.map(async (region) => [region, await readPublicKeys(join(hub.publicKeysDir, region, 'keys.yaml'))])))
  second = await start({
    region: TWICE, databaseUrl: hub.databaseUrl(TWICE), registryUrl: hub.fixture.registryUrl, topicPrefix: hub.fixture.prefix, stateDir: await hub.fixture.stateDir(), callersFile: hub.callersFile(TWICE),
    signingKeyFile: join(hub.publicKeysDir, TWICE, 'signing-key.pem'), publicKeysDir: hub.publicKeysDir, leads: ['sh', 'zj', 'js', 'ah'], silence: 600_000, deadline: 8 * 3_600_000, host: '127.0.0.1', announcerPort: 0, trustedProxies: [], logLevel: 'silent',
  }, { log: hub.fixture.log, metrics: createMetrics({}), fail: (error) => hub.fixture.log.error({ err: error }, 'announcer failed'), wakeup: createWakeup() })
  lead = await armed(0)
  for (const region of [TWICE, 'js', 'ah'] as const) await hub.publish(region, 'complaint', [...complaints(40, 3, region)].map((event) => ({ ...event, registeredOn: '2026-03-1' + (event.recordId.length % 6), registeredAt: undefined })))
}, 120_000)
afterAll(async () => {
  lead?.child.kill('SIGKILL')
  await second?.[Symbol.asyncDispose]()
  await hub?.[Symbol.asyncDispose]()
})

test('every step of an announcement is struck', () => {
  expect([...new Set(KILLS.map(({ point }) => point))].sort()).toEqual(FAILPOINTS.filter((point) => point.startsWith('announce.')).sort())
})

async function armed(n: number): Promise<Struck> {
  const kill = KILLS[n]
  if (kill === undefined) return { child: await hub.spawn(LEAD), struck: () => Promise.resolve() }
  const { campaign, year, point, said } = kill
  return spawnStruck(hub, LEAD, { point, of: `${campaign}/${year}${said === undefined ? '' : ` ${said}`}`, at: 1, action: 'exit' })
}

/** People ask for it and approve it, again where nobody answered, until every region has published. */
function published(desks: Desks): Promise<string[]> {
  return eventually('every region has published', async () => {
    for (const region of REGIONS) {
      try {
        const state = await desks.state(region)
        if (state.status === 'past') await desks.run([region])
        else if (signedBy(state, [region]) && state.draft!.regions[region].approved === null) await desks.approve(region)
      } catch {
        continue // its process is gone, or it was approved in between
      }
    }
    const files = await Promise.all(REGIONS.map((region) => desks.file(region).catch(() => undefined)))
    return files.every((file) => file !== undefined) ? files : undefined
  }, DEADLINE_MS)
}

test.each(KILLS.map((kill, n) => [`${kill.point}${kill.said === undefined ? '' : ` (${kill.said})`}`, n, kill] as const))('killed at %s: one announcement, right figures', { timeout: DEADLINE_MS + 60_000 }, async (_name, n, { campaign, year }) => {
  const ends = published(openDesks(hub, campaign, year))
  ends.catch(() => {}) // awaited below, unless the strike does not come about
  await lead.struck()
  if (lead.child.signalCode === null) await once(lead.child, 'exit')
  expect(lead.child.signalCode).toBe('SIGKILL')
  await expireLeases(hub, LEAD)
  lead = await armed(n + 1)

  const files = await ends
  expect(new Set(files).size).toBe(1)
  const { statement, recomputed, approved } = JSON.parse(files[0]!) as Edition
  expect(verifyEdition(Buffer.from(files[0]!), keys)).toMatchObject({ valid: true, problems: [] })
  expect({ edition: statement.edition, kind: statement.kind, basis: statement.basis.length }).toEqual({ edition: 1, kind: 'full', basis: 36 })
  for (const signed of [recomputed, approved]) expect(signed.map(({ region }) => region).sort()).toEqual([...REGIONS].sort())
  const { from, to } = statement.plan.window
  const { rows: [counted] } = await hub.db('ah').query<{ n: bigint }>('SELECT count(*) AS n FROM complaint WHERE registered_on BETWEEN $1::date AND $2::date', [from, to])
  expect(statement.figures!.counts.find(({ definition }) => definition === 'received@1')!.counts.total).toBe(Number(counted!.n))
  // Nothing twice: one marker a partition, one draft, one signature and one approval a region.
  const { rows: acts } = await hub.db('ah').query<{ says: string; n: bigint }>('SELECT says, count(*) AS n FROM announcement_act WHERE campaign = $1 AND year = $2 GROUP BY says ORDER BY says', [campaign, year])
  expect(acts).toEqual([{ says: 'approved', n: 4n }, { says: 'draft', n: 1n }, { says: 'recomputed', n: 4n }])
  const { rows: [markers] } = await hub.db('ah').query<{ cuts: bigint; repeated: bigint }>('SELECT count(*) AS cuts, sum(repeated) AS repeated FROM cut WHERE campaign = $1 AND year = $2', [campaign, year])
  expect(Number(markers!.cuts)).toBe(36)
  expect(Number(markers!.repeated)).toBe(0)
})
