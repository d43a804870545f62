import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { COMMON_LABELS, declaredMetrics, metricOf } from './metrics.ts'

const declared = declaredMetrics()
let hub: Hub

beforeAll(async () => {
  hub = await openHub({ regions: ['zj'], lookups: true, announcers: true })
})
afterAll(() => hub[Symbol.asyncDispose]())

async function metrics(): Promise<string> {
  return (await fetch(`${hub.url('zj')}/metrics`)).text()
}

test('a running region shows every metric that the code names and no other, with its labels', async () => {
  const text = await eventually('every metric shown', async () => {
    const shown = await metrics()
    return [...declared.keys()].every((name) => shown.includes(`# TYPE ${name} `)) ? shown : undefined
  }).catch(metrics)
  const shown = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!)
  expect(shown.toSorted()).toEqual([...declared.keys()].toSorted())
  for (const [, series, labels] of text.matchAll(/^(hub_\w+)\{([^}]*)\}/gm)) {
    const metric = declared.get(metricOf(series!, declared))!
    const used = [...labels!.matchAll(/(\w+)="/g)].map(([, label]) => label!)
    expect([series, used.filter((label) => ![...COMMON_LABELS, ...metric.labels, 'le'].includes(label))]).toEqual([series, []])
  }
})

test('a collector sees what /readyz says, how large each table is, and when old data was last deleted', async () => {
  const text = await metrics()
  expect(text).toMatch(/^hub_ready\{.*\} 1$/m)
  expect(text).toMatch(/^hub_dependency_ok\{dependency="gateway database".*\} 1$/m)
  expect(text).toMatch(/^hub_table_bytes\{table="published".*\} [1-9]/m)
  expect(text).toMatch(/^hub_table_rows\{table="outbox_head".*\} \d/m)
  expect(text).toMatch(/^hub_state_disk_free_bytes\{.*\} [1-9]/m)
  for (const what of ['published', 'verdict', 'replica', 'outbox']) expect(text).toMatch(new RegExp(`^hub_retention_done_timestamp_seconds\\{what="${what}".*\\} 1\\d{9}`, 'm'))
})
