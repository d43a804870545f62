import { join } from 'node:path'
import type { Region } from '@hub/schemas/streams'
import { given, party, present, readText, spread, type Event, type SampleLine } from './read.ts'

/** A row of a notice as a correct importer reads it (`expected-inspections.jsonl`). */
interface Sample {
  readonly file: string
  readonly cls: 'good' | 'doubtful' | 'duplicate' | 'correction'
  readonly sampleNo?: string
  readonly seller?: string
  readonly sellerDivision?: string
  readonly producer?: string
  readonly consignor?: string
  readonly platform?: string
  readonly product: string
  readonly spec?: string
  readonly batch?: string
  readonly batchDate?: string
  readonly items: readonly { readonly item: string, readonly value: string, readonly limit: string }[]
  readonly lab?: string
  readonly outcome: 'none' | 'upheld' | 'overturned' | 'denied' | 'refused'
  readonly notice: string
  readonly noticeDate?: string
}

/** About `records` samples that failed. One whose outcome is told by the notice has a first version without it, one that a re-inspection overturned ends void. */
export function inspections(folder: string, region: Region, records: number): SampleLine[] {
  const samples = readText(join(folder, 'expected-inspections.jsonl')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as Sample)
    .filter(({ file, cls, sampleNo, noticeDate }) => file.startsWith(`${region}/`) && cls !== 'duplicate' && /^[A-Z]{3}\d+$/.test(sampleNo ?? '') && noticeDate !== undefined)
  const byNumber = Map.groupBy(samples, ({ sampleNo }) => sampleNo!)
  const eventful = [...byNumber].filter(([, own]) => own.some(({ cls, outcome }) => cls === 'correction' || outcome !== 'none')).map(([sampleNo]) => sampleNo)
  const chosen = new Set([...spread([...byNumber.keys()].sort(), Math.max(1, records - eventful.length)), ...eventful])
  return [...byNumber].filter(([sampleNo]) => chosen.has(sampleNo)).flatMap(([, own]) => own.flatMap((sample) => toEvents(sample, region)).map((event, i) => ({
    stream: 'inspection-failure' as const, event: { ...event, version: i + 1 },
  })))
}

function toEvents(sample: Sample, region: Region): Event[] {
  const first = toEvent(sample, region, sample.cls === 'correction' ? 'correction' : 'original', 'none')
  if (sample.outcome === 'none') return [first]
  if (sample.outcome !== 'overturned') return [first, toEvent(sample, region, 'follow-up', sample.outcome)]
  const { recordId, occurredOn, recordedAt } = first
  return [first, { recordId, kind: 'void', occurredOn, recordedAt }]
}

function toEvent(sample: Sample, region: Region, kind: string, outcome: Sample['outcome']): Event {
  const role = (name: string, of: Readonly<Record<string, string>> | undefined): Record<string, unknown>[] =>
    of === undefined ? [] : [{ role: name, ...of, ...(name === 'nominal-producer' && outcome === 'denied' && { attribution: 'denied' }) }]
  const published = sample.outcome === 'none' || outcome !== 'none'
  return present({
    recordId: `sampling-${region}/${sample.sampleNo}`,
    kind,
    occurredOn: sample.noticeDate!,
    recordedAt: `${sample.noticeDate}T09:00:00+08:00`,
    inspectionKind: 'food',
    sampleNo: sample.sampleNo,
    noticeNo: sample.notice,
    noticeDate: sample.noticeDate,
    parties: [
      ...role('sampled-unit', party(sample.seller, undefined, sample.sellerDivision)),
      ...role('nominal-producer', party(sample.producer, undefined, undefined)),
      ...role('consignor', party(sample.consignor, undefined, undefined)),
      ...role('platform', party(sample.platform, undefined, undefined)),
    ],
    product: present({ name: sample.product, spec: given(sample.spec), batch: given(sample.batch), batchDate: sample.batchDate }),
    failingItems: sample.items.map(({ item, value, limit }) => present({ item, result: given(value), limit: given(limit) })),
    lab: sample.lab === undefined ? undefined : { name: sample.lab },
    outcome,
    publication: published ? 'published' : 'pending',
    publishedOn: published ? sample.noticeDate : undefined,
  })
}
