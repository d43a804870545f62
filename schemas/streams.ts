/** The four regions, in the order of their GB/T 2260 codes. */
export const REGIONS = ['sh', 'js', 'zj', 'ah'] as const
export type Region = (typeof REGIONS)[number]

/** Province codes of GB/T 2260, as they stand in data. */
export const GB_CODES: Readonly<Record<Region, string>> = { sh: '31', js: '32', zj: '33', ah: '34' }

/** Streams whose events are versions of records; each has a table in every replica. */
export const DATA_STREAMS = ['complaint', 'credit-blacklist', 'inspection-failure', 'recall', 'tally'] as const
export type DataStream = (typeof DATA_STREAMS)[number]

/** What a stream is about, for people. */
export const STREAM_TITLES: Readonly<Record<DataStream, { readonly zh: string; readonly en: string }>> = {
  complaint: { zh: '消费投诉', en: 'Consumer complaints' },
  'credit-blacklist': { zh: '信用名单与行政处罚', en: 'Credit lists and penalties' },
  'inspection-failure': { zh: '抽检不合格', en: 'Inspection failures' },
  recall: { zh: '召回', en: 'Recalls' },
  tally: { zh: '举报与咨询日计数', en: 'Daily counts of reports and consultations' },
}

/** Streams by which the regions tell each other how far their replicas are, their sources, and what they do in a joint announcement. */
export const TECHNICAL_STREAMS = ['checkpoint', 'parked', 'source-status', 'announcement'] as const
export type TechnicalStream = (typeof TECHNICAL_STREAMS)[number]

export type Stream = DataStream | TechnicalStream
export const STREAMS: readonly Stream[] = [...DATA_STREAMS, ...TECHNICAL_STREAMS]

/** Partitions of a region's topic of this stream. They never change: a key must stay where its history is. */
export const PARTITIONS: Readonly<Record<Stream, number>> = {
  complaint: 6, 'credit-blacklist': 3, 'inspection-failure': 3, recall: 3, tally: 3, checkpoint: 1, parked: 1, 'source-status': 1, announcement: 1,
}

export interface Topic {
  readonly topic: string
  readonly region: Region
  readonly stream: Stream
  readonly partitions: number
  readonly technical: boolean
}

/** `zj.complaint`; the prefix is for tests on a shared broker. */
export function topicName(region: Region, stream: Stream, prefix = ''): string {
  return `${prefix}${region}.${stream}`
}

/** Every topic of the hub, the four regions' one after the other. */
export function allTopics(prefix = ''): Topic[] {
  return REGIONS.flatMap((region) => topicsOf(region, prefix))
}

/** The topics that one region writes. */
export function topicsOf(region: Region, prefix = ''): Topic[] {
  return STREAMS.map((stream) => ({ topic: topicName(region, stream, prefix), region, stream, partitions: PARTITIONS[stream], technical: !isDataStream(stream) }))
}

export function isRegion(value: string): value is Region {
  return (REGIONS as readonly string[]).includes(value)
}

export function isDataStream(value: string): value is DataStream {
  return (DATA_STREAMS as readonly string[]).includes(value)
}
