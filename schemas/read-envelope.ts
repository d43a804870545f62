import { instantReader, integerReader, type FieldReader } from './read-record.ts'
import { stringReader } from './read-string.ts'
import type { DataStream } from './streams.ts'

/** The highest version: avsc writes no longer long. */
const MAX_VERSION = 2 ** 53 - 2
/** Clocks of sources may be ahead this much; a version made of a later time would shut out every honest one after it. */
const AHEAD_MS = 24 * 3_600_000

/** On what each stream is shared, where the publisher does not say. */
const LEGAL_BASIS: Readonly<Record<DataStream, string>> = {
  complaint: '《市场监督管理投诉举报处理暂行办法》第三十四条',
  'credit-blacklist': '《企业信息公示暂行条例》；市场监管总局令第44号、第45号',
  'inspection-failure': '《食品安全法》第一百一十八条；《产品质量监督抽查管理暂行办法》',
  recall: '《消费品召回管理暂行规定》；《食品召回管理办法》',
  tally: '《市场监督管理投诉举报处理暂行办法》第三十四条',
}

const uuid = stringReader({ name: 'eventId', type: 'string', doc: '', source: '', visibility: 'bureaus', format: 'uuid' }, 'eventId', false)
const version = integerReader('version', 1, MAX_VERSION)
const recordedAt = instantReader('recordedAt')

/** Fields of the envelope that the gateway fills in, and how they are read where an input has them. */
export const ENVELOPE: Readonly<Record<string, FieldReader>> = {
  eventId: {
    read: (value, reading) => (uuid(value, reading) === undefined ? undefined : ''),
    absent: () => '',
  },
  version: {
    read(value, reading) {
      reading.version = version(value, reading) as number | undefined
      return 0
    },
    absent: () => 0,
  },
  region: {
    read: (value, reading) => (value === reading.region ? value : reading.refuse('region', 'wrong-region', reading.region)),
    absent: ({ region }) => region,
  },
  recordedAt: {
    read(value, reading) {
      const at = recordedAt(value, reading) as number | undefined
      if (at === undefined) return undefined
      if (at < 1) return reading.refuse('recordedAt', 'range', '> 1970-01-01T00:00:00Z')
      if (at > reading.now + AHEAD_MS) return reading.refuse('recordedAt', 'future', '≤ now')
      return reading.recordedAt = at
    },
    absent: ({ now }) => now,
  },
}

/** What the gateway fills in where an event leaves it out. */
export const FILLED_IN: ReadonlySet<string> = new Set([...Object.keys(ENVELOPE), 'legalBasis'])

export function legalBasis(stream: DataStream): string {
  return LEGAL_BASIS[stream]
}
