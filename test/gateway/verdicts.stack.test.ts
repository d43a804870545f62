import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint, listing } from './events.ts'
import { startGateway, type TestGateway } from './gateway.ts'

let fixture: Fixture
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

test('smoke', async () => {
  console.log(await gateway.publish('complaint', JSON.stringify(complaint())))
  console.log(await gateway.publish('credit-blacklist', JSON.stringify(listing())))
  console.log(await gateway.publish('credit-blacklist', JSON.stringify([listing(), listing({ kind: 'x' }), 1])))
  console.log(await gateway.publish('complaint', `${JSON.stringify(complaint())}\n{}\n`, { type: 'application/x-ndjson' }))
  console.log((await gateway.get('/v1/position', 'key-operator')))
  console.log(gateway.logged())
})
