import { expect, test } from 'vitest'
import { contractByName } from '@hub/schemas/contracts'
import type { DataStream } from '@hub/schemas/streams'
import { grantOf, grantOfEarlier, isShown, isSteady, selectionKey, type Selection } from './selection.ts'

const BUREAU = { kind: 'bureau', region: 'js' } as const
const selection = (over: Partial<Selection> = {}): Selection => ({ stream: 'inspection-failure', viewer: BUREAU, region: undefined, involves: undefined, role: undefined, ...over })
const failure = (publication: string, ...parties: [role: string, region: string][]) => ({
  contract: contractByName('cn.yrd.inspection_failure.InspectionFailure')!,
  record: { region: 'zj', publication, outcome: 'none', parties: parties.map(([role, region]) => ({ role, region })) },
})
const stub = { contract: contractByName('cn.yrd.inspection_failure.InspectionFailureEnded')!, record: { region: 'zj' } }
const TODAY = 20_600

test('what was asked for is one party with both region and part', () => {
  const asked = selection({ involves: 'ah', role: 'producer' })
  expect(isShown(grantOf(asked, failure('published', ['nominal-producer', 'ah']), TODAY))).toBe(true)
  expect(isShown(grantOf(asked, failure('published', ['nominal-producer', 'sh'], ['sampled-unit', 'ah']), TODAY))).toBe(false)
})

test('an ended record is shown to nobody, and an earlier version to those alone who see what became of it', () => {
  const shown = grantOf(selection(), failure('published'), TODAY)
  expect(isShown(shown)).toBe(true)
  expect(isShown(grantOf(selection(), stub, TODAY))).toBe(false)
  for (const now of [undefined, stub, failure('withdrawn')]) expect(isShown(grantOfEarlier(shown, selection(), now, TODAY))).toBe(false)
  expect(isShown(grantOfEarlier(shown, selection(), failure('withdrawn', ['sampled-unit', 'js']), TODAY))).toBe(true)
})

test('only streams whose records are shown alike in every state need no look at what became of them', () => {
  const steady = (['complaint', 'credit-blacklist', 'inspection-failure', 'recall', 'tally'] satisfies DataStream[]).filter((stream) => isSteady(selection({ stream })))
  expect(steady).toEqual(['complaint', 'recall', 'tally'])
  expect(isSteady(selection({ stream: 'complaint', viewer: { kind: 'public' } }))).toBe(false)
})

test('readers share pages when they are shown the same', () => {
  const keys = [selection(), selection({ viewer: { kind: 'bureau', region: 'js', operator: true } }), selection({ viewer: { kind: 'bureau', region: 'ah' } }), selection({ viewer: { kind: 'operator' } }),
    selection({ stream: 'recall' }), selection({ region: 'zj' }), selection({ involves: 'zj' }), selection({ involves: 'zj', role: 'producer' })].map(selectionKey)
  expect(new Set(keys).size).toBe(keys.length)
  expect(selectionKey(selection({ viewer: { kind: 'bureau', region: 'js', operator: false } }))).toBe(keys[0])
})
