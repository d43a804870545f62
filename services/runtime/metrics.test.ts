import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('asking twice for a name gives the same instrument, so that services of one process share it', async () => {
  const metrics = createMetrics({ region: 'zj' })
  metrics.counter('hub_events_total', 'events', ['stream']).inc({ stream: 'recall' })
  metrics.counter('hub_events_total', 'events', ['stream']).inc({ stream: 'recall' }, 2)
  expect(await metrics.registry.metrics()).toContain('hub_events_total{stream="recall",region="zj"} 3')
})

test('two processes in one, as in tests, keep their numbers apart', async () => {
  const [one, other] = [createMetrics({ region: 'zj' }), createMetrics({ region: 'sh' })]
  one.counter('hub_events_total', 'events').inc()
  other.counter('hub_events_total', 'events').inc(5)
  expect(await one.registry.metrics()).toContain('hub_events_total{region="zj"} 1')
  expect(await other.registry.metrics()).toContain('hub_events_total{region="sh"} 5')
})

test('a gauge is filled when somebody reads it', async () => {
  const metrics = createMetrics({})
  let waiting = 3
  metrics.gauge('hub_waiting', 'waiting', [], (gauge) => gauge.set(waiting))
  expect(await metrics.registry.metrics()).toContain('hub_waiting 3')
  waiting = 4
  expect(await metrics.registry.metrics()).toContain('hub_waiting 4')
})

test('a gauge that cannot be filled (its database is away) keeps nobody from reading the others, and shows no old value', async () => {
  const metrics = createMetrics({})
  let away = false
  metrics.gauge('hub_rows', 'rows', ['table'], async (gauge) => {
    if (away) throw new Error('database away')
    gauge.set({ table: 'complaint' }, 7)
  })
  metrics.counter('hub_events_total', 'events').inc()
  expect(await metrics.registry.metrics()).toContain('hub_rows{table="complaint"} 7')
  away = true
  const text = await metrics.registry.metrics()
  expect(text).toContain('hub_events_total 1')
  expect(text).not.toContain('complaint')
})

test('the event loop and the memory are watched', async () => {
  const text = await createMetrics({}).registry.metrics()
  expect(text).toMatch(/^hub_event_loop_delay_seconds \d/m)
  expect(text).toMatch(/^hub_resident_memory_bytes \d{6,}/m)
})
