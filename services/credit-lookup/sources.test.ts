import { expect, it } from 'vitest'
import type { SourceStatus } from '@hub/schemas/generated/source-status'
import { sampleRecord } from '@hub/schemas/samples'
import { Sources } from './sources.ts'

const STATUS = sampleRecord('cn.yrd.source_status.SourceStatus') as unknown as SourceStatus
const AT = STATUS.lastHandOver!.at

it('a hand-over counts once everything the source wrote before it is here', () => {
  const sources = new Sources()
  sources.note(STATUS)
  const reached = [0, 0, 0]
  const last = (_: string, partition: number): number => reached[partition]!
  expect(sources.of('zj', last)).toEqual([{ sourceSystem: 'zj-credit', cadenceSeconds: 86_400, baselineComplete: true, lastHandOverAt: undefined }])
  reached[0] = 20_031
  expect(sources.of('zj', last)[0]!.lastHandOverAt).toBeUndefined()
  reached[2] = 19_877
  expect(sources.of('zj', last)[0]!.lastHandOverAt).toBe(AT)
  // The next one is on its way: the last that arrived stands.
  sources.note({ ...STATUS, version: STATUS.version + 1, lastHandOver: { ...STATUS.lastHandOver!, at: AT + 1000, partitions: [{ topic: 'zj.credit-blacklist', partition: 0, lastSequence: 30_000 }] } })
  expect(sources.of('zj', last)[0]!.lastHandOverAt).toBe(AT)
  reached[0] = 30_000
  expect(sources.of('zj', last)[0]!.lastHandOverAt).toBe(AT + 1000)
})

it('hand-overs that follow each other quickly do not make a source look older, whether somebody asks between them or not', () => {
  const sources = new Sources()
  for (let n = 0; n < 40; n++) {
    sources.note({ ...STATUS, version: STATUS.version + n, lastHandOver: { ...STATUS.lastHandOver!, at: AT + n, partitions: [{ topic: 'zj.credit-blacklist', partition: 0, lastSequence: n }] } })
  }
  expect(sources.of('zj', () => 5)[0]!.lastHandOverAt).toBe(AT + 5)
  expect(sources.of('zj', () => 39)[0]!.lastHandOverAt).toBe(AT + 39)
})

it('what a source wrote to other streams is no matter here', () => {
  const sources = new Sources()
  sources.note({ ...STATUS, streams: ['complaint', 'credit-blacklist'], lastHandOver: { ...STATUS.lastHandOver!, partitions: [{ topic: 'zj.complaint', partition: 0, lastSequence: 7 }] } })
  expect(sources.of('zj', (topic) => (topic === 'zj.credit-blacklist' ? 0 : undefined))[0]!.lastHandOverAt).toBe(AT)
})

it('sources of other streams, of other regions, and those no longer declared are none; an older word changes nothing', () => {
  const sources = new Sources()
  sources.note(STATUS)
  sources.note({ ...STATUS, sourceSystem: 'zj-12315', streams: ['complaint'] })
  expect(sources.of('js', () => Infinity)).toEqual([])
  expect(sources.of('zj', () => Infinity).map(({ sourceSystem }) => sourceSystem)).toEqual(['zj-credit'])
  sources.note({ ...STATUS, version: STATUS.version - 1, declared: false })
  expect(sources.of('zj', () => Infinity).length).toBe(1)
  sources.note({ ...STATUS, version: STATUS.version + 1, declared: false })
  expect(sources.of('zj', () => Infinity)).toEqual([])
})
