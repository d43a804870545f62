import { parsePublicKeys, generateSigningKey, sign, type PublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { expect, test } from 'vitest'
import type { Act } from './acts.ts'
import { approvedBytes, recomputedBytes } from './edition/assemble.ts'
import { isComplete, slotOf } from './slot.ts'

const LEADS: readonly Region[] = ['sh', 'zj', 'js', 'ah']
const AT = '2026-03-17T00:00:05+08:00'
const DIGESTS = { aggregates: 'a'.repeat(64), annex: 'b'.repeat(64), tips: 'c'.repeat(64) }
const SLOT = { campaign: '315-week', year: 2026, edition: 1 } as const
const pairs = Object.fromEntries(REGIONS.map((region) => [region, generateSigningKey()])) as Record<Region, ReturnType<typeof generateSigningKey>>
const keys: Partial<Record<Region, PublicKeys>> = Object.fromEntries(REGIONS.map((region) => {
  const { kid, publicKey } = pairs[region]
  return [region, parsePublicKeys(`keys:\n  - kid: '${kid}'\n    from: '2026-01-01T00:00:00Z'\n    to: null\n    publicKey: |\n${publicKey.trim().split('\n').map((line) => `      ${line}`).join('\n')}\n`, 'test')]
}))

let number = 0
const act = (region: Region, says: Act['says'], body: object): Act => ({ region, number: ++number, edition: 1, at: new Date(AT), says, body }) as Act
const draft = (region: Region, digests = DIGESTS): Act => act(region, 'draft', {
  digests, missing: [], corrections: [], retracts: false, tips: [], statement: { ...SLOT, regions: Object.fromEntries(REGIONS.map((one) => [one, { standing: 'complete', sources: [] }])) },
})
const recomputed = (region: Region, by: Region = region): Act =>
  act(region, 'recomputed', { digests: DIGESTS, at: AT, kid: pairs[by].kid, signature: sign(pairs[by], recomputedBytes(SLOT, DIGESTS, { region, at: AT })).toString('base64') })
const approved = (region: Region, digests = DIGESTS): Act =>
  act(region, 'approved', { digests, approval: '1', at: AT, kid: pairs[region].kid, signature: sign(pairs[region], approvedBytes(SLOT, digests, { region, at: AT, approval: '1' })).toString('base64') })

test('an edition is complete with a signature and an approval of every region, and not before', () => {
  const acts = [draft('sh'), ...REGIONS.map((region) => recomputed(region)), ...REGIONS.map((region) => approved(region))]
  expect(isComplete(slotOf(1, acts, LEADS, keys))).toBe(true)
  for (const left of acts) expect(isComplete(slotOf(1, acts.filter((one) => one !== left), LEADS, keys))).toBe(false)
})

test("a signature by another region's key counts for nothing, and is shown", () => {
  const slot = slotOf(1, [draft('sh'), recomputed('zj', 'js')], LEADS, keys)
  expect(slot.faults).toEqual([{ region: 'zj', says: 'recomputed', fault: 'unknown-key' }])
  expect(slot.recomputed).toEqual([])
})

test('of two drafts the first in the order of leads stands, and a region stands by its last approval', () => {
  const other = { ...DIGESTS, tips: 'd'.repeat(64) }
  expect(slotOf(1, [draft('js', other), draft('zj')], LEADS, keys).draft?.region).toBe('zj')
  expect(slotOf(1, [draft('sh'), approved('ah'), approved('ah', other)], LEADS, keys).approved).toEqual([])
})
