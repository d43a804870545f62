import { expect, test } from 'vitest'
import { receiptOf } from './receipt.ts'
import type { Arrival, PublishedEvent } from './receipt-store.ts'

const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 15, 9, minute))
const event: PublishedEvent = { topic: 't1-zj.credit-blacklist', recordId: 'credit-zj/1', version: 3n, kind: 'original', partition: 2, sequence: 9n, at: at(0), offset: 12n, next: null }
const arrival = (region: string, since: Date | null, parkedReason: string | null = null): [string, Arrival] => [region, { region, since, parkedReason }]

test('each region is waiting, arrived, superseded or parked, since when it is', () => {
  const here = new Map([arrival('sh', at(1)), arrival('js', at(2)), arrival('ah', at(3), 'bounds')])
  const next = new Map([arrival('js', at(5))])
  expect(receiptOf('e', event, here, next, 't1-')).toEqual({
    eventId: 'e', recordId: 'credit-zj/1', stream: 'credit-blacklist', version: '3', topic: 't1-zj.credit-blacklist', partition: 2, offset: '12', sequence: '9', acceptedAt: at(0).toISOString(),
    regions: [
      { region: 'sh', state: 'arrived', since: at(1).toISOString() },
      { region: 'js', state: 'superseded', since: at(5).toISOString() },
      { region: 'zj', state: 'waiting', since: at(0).toISOString() },
      { region: 'ah', state: 'parked', since: at(3).toISOString(), reason: 'bounds' },
    ],
  })
})

test('an event that the relay has not sent is waiting everywhere', () => {
  const { offset, regions } = receiptOf('e', { ...event, offset: null }, new Map(), new Map(), 't1-')
  expect(offset).toBeNull()
  expect(new Set(regions.map(({ state }) => state))).toEqual(new Set(['waiting']))
})

test('a later version supersedes a parked one, which keeps its reason', () => {
  const receipt = receiptOf('e', event, new Map([arrival('sh', at(1), 'bounds')]), new Map([arrival('sh', at(2))]), 't1-')
  expect(receipt.regions[0]).toEqual({ region: 'sh', state: 'superseded', since: at(2).toISOString(), reason: 'bounds' })
})
