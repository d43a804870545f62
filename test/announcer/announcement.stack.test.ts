import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyEdition } from '@hub/announcer/edition/verify'
import { readPublicKeys, type PublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { join } from 'node:path'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openDesks, signedBy, type Desks } from './desk.ts'

let hub: Hub
let desks: Desks

beforeAll(async () => {
  hub = await openHub({ announcers: true })
  desks = openDesks(hub, '315-week', 2026)
  for (const region of REGIONS) await hub.publish(region, 'complaint', shifted(region))
  await hub.settled()
}, 120_000)
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

/** Complaints of the week of 15 March, some versions each. */
function* shifted(region: Region): Generator<object> {
  for (const event of complaints(150, 7, region)) yield { ...event, registeredOn: '2026-03-1' + (event.recordId.length % 6), registeredAt: undefined }
}

async function publicKeys(): Promise<Partial<Record<Region, PublicKeys>>> {
  return Object.fromEntries(await Promise.all(REGIONS.map(async (region) => [region, await readPublicKeys(join(hub.publicKeysDir, region, 'keys.yaml'))])))
}

describe('four regions publish one set of figures', () => {
  it('cut, recomputed and signed by each, by itself', async () => {
    await desks.run()
    const state = await desks.until('all have signed', 'sh', signedBy, 60_000)
    expect(state.draft).toMatchObject({ edition: 1, by: 'sh', statement: { campaign: '315-week', kind: 'full', demo: false } })
    expect(state.scrub).toMatchObject({ clean: true, partitions: 36, records: [] })
    const received = state.draft!.statement.figures!.counts[0]!
    const { rows: [counted] } = await hub.db('zj').query<{ n: bigint }>(`SELECT count(*) AS n FROM complaint WHERE registered_on BETWEEN '2026-03-09' AND '2026-03-15'`)
    expect(received.counts.total).toBe(Number(counted!.n))
    expect(await desks.file('sh')).toBeUndefined()
  })

  it('approved by two people of each, and published as the same bytes everywhere', async () => {
    const again = await desks.call('js', 'approver', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})
    expect(again.status).toBe(200)
    expect(await desks.call('js', 'approver', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})).toMatchObject({ status: 409, body: { code: 'NEEDS_ANOTHER' } })
    await desks.call('js', 'approver2', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})
    for (const region of ['sh', 'zj', 'ah'] as const) {
      await desks.until('signed', region, (state) => signedBy(state, [region]))
      await desks.approve(region)
    }
    const files = await Promise.all(REGIONS.map((region) => eventually(`${region} publishes`, () => desks.file(region), 30_000)))
    expect(new Set(files).size).toBe(1)
    expect(verifyEdition(Buffer.from(files[0]!), await publicKeys())).toMatchObject({ valid: true, problems: [] })
    const state = await desks.state('ah')
    expect(state).toMatchObject({ status: 'published', editions: [{ edition: 1, kind: 'full' }], draft: null })
  })

  it('who may not: an officer approves nothing, an approver of another region has no key here, nobody reads the desk', async () => {
    expect(await desks.call('sh', 'officer', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    expect(await desks.call('sh', 'reader', 'GET', '/v1/desk/announcements')).toMatchObject({ status: 403 })
  })
})
