import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readEvent } from '@hub/schemas/read-event'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { SampleLine } from './sources/read.ts'

const NOW = Date.UTC(2026, 10, 1)
/** What the source files write where a complainant is, and nowhere else. */
const COMPLAINANT = /[翾旸翀劼祎珅赟燊甯骉]|154000\d{5}|000000\d{11}[\dXx]|虚拟市样本区|@example\.invalid/

const files = Object.fromEntries(REGIONS.map((region) => [region, readFileSync(join(import.meta.dirname, 'sample', `${region}.ndjson`), 'utf8')])) as Record<Region, string>
const sample = REGIONS.map((region) => ({ region, lines: files[region].split('\n').filter(Boolean).map((line) => JSON.parse(line) as SampleLine) }))

describe.each(sample)('the sample of $region', ({ region, lines }) => {
  const read = lines.map(({ stream, event }) => ({ recordId: event.recordId, result: readEvent(stream, region, event, NOW) }))
  const events = read.flatMap(({ result }) => (result.ok ? [result.event] : []))

  test('is accepted line by line', () => {
    expect(read.flatMap(({ recordId, result }) => (result.ok ? [] : [{ recordId, problems: result.problems }]))).toEqual([])
  })

  test('holds each version once and in its order, so that the first start shows neither duplicates nor stale events', () => {
    const newest = new Map<string, number>()
    const unordered = events.filter(({ recordId, origin }) => {
      const version = origin.from === 'counter' ? NaN : origin.version
      const before = newest.get(recordId) ?? 0
      newest.set(recordId, version)
      return !(version > before)
    })
    expect(unordered.map(({ recordId }) => recordId)).toEqual([])
  })

  test('brings a record back from its end only as restored', () => {
    const ended = new Set<string>()
    const revived = events.filter(({ recordId, kind, ended: ends }) => {
      const wasEnded = ended.has(recordId)
      if (ends) ended.add(recordId)
      else ended.delete(recordId)
      return wasEnded && kind !== 'restored'
    })
    expect(revived.map(({ recordId }) => recordId)).toEqual([])
  })

  test('says nothing of a complainant', () => {
    expect(files[region].split('\n').filter((line) => COMPLAINANT.test(line))).toEqual([])
  })
})

test('the counts are those of README.md', () => {
  const stated = [...readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(/^\| (sh|js|zj|ah) \| ([a-z-]+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)].map((match) => match.slice(1, 6).join(' '))
  const counted = sample.flatMap(({ region, lines }) => [...Map.groupBy(lines, ({ stream }) => stream)].sort().map(([stream, own]) => {
    const ending = own.filter(({ event }) => ['removal', 'repair', 'expiry', 'void', 'erasure'].includes(event.kind))
    return [region, stream, new Set(own.map(({ event }) => event.recordId)).size, own.length, ending.length].join(' ')
  }))
  expect(counted).toEqual(stated)
})

test('there are at least a thousand events', () => {
  expect(sample.reduce((total, { lines }) => total + lines.length, 0)).toBeGreaterThan(1000)
})
