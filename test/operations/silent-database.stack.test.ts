import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint } from '../gateway/events.ts'
import { startGateway, type TestGateway } from '../gateway/gateway.ts'
import { openProxy, type Proxy } from '../gateway/proxy.ts'

/** A collector waits this long for its answer (infra/prometheus/prometheus.yaml). */
const SCRAPE_MS = 10_000

let fixture: Fixture
let proxy: Proxy
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  const directUrl = await fixture.database()
  proxy = await openProxy(directUrl)
  gateway = await startGateway(fixture, { databaseUrl: proxy.url, directUrl })
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const metrics = async (): Promise<string> => (await fetch(`${gateway.url}/metrics`, { signal: AbortSignal.timeout(SCRAPE_MS) })).text()

test('while the database is silent a collector still has its answer in time, and is told that nothing can be published', { timeout: 90_000 }, async () => {
  expect(await metrics()).toMatch(/^hub_ready 1$/m)
  proxy.swallow()
  try {
    const publishing = gateway.publish('complaint', JSON.stringify(complaint({ recordId: '12315-zj/silent' })))
    const told = await eventually('not ready', async () => {
      const text = await metrics()
      return /^hub_ready 0$/m.test(text) ? text : undefined
    })
    expect(told).toMatch(/^hub_dependency_ok\{dependency="gateway database"\} 0$/m)
    expect((await publishing).status).toBe(503)
    await eventually('a failed transaction counted', async () => /^hub_gateway_commit_failures_total [1-9]/m.test(await metrics()), 30_000)
  } finally {
    proxy.restore()
  }
  await eventually('ready again', async () => /^hub_ready 1$/m.test(await metrics()), 30_000)
})
