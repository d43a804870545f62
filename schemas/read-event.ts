import { shapeOf } from './avro-schema.ts'
import { bodyHash } from './body-hash.ts'
import { contractFor, type Contract } from './contracts.ts'
import { RECORD_CHECKS, STUB_CHECKS, type Check } from './read-checks.ts'
import { ENVELOPE, legalBasis } from './read-envelope.ts'
import { isObject, recordReader, type Values } from './read-record.ts'
import { Reading, type Invalid } from './read-rules.ts'
import { stringReader, type ReadValue } from './read-string.ts'
import { shanghaiDay } from './read-time.ts'
import { dateText } from './record-json.ts'
import { isEnding } from './record-rule.ts'
import { DATA_STREAMS, type DataStream, type Region } from './streams.ts'
import { subjectOf } from './tables.ts'

export { READ_FLAGS, READ_RULES, type Invalid, type ReadFlag, type ReadRule, type RuleText } from './read-rules.ts'

/** An input that keeps its contract, ready to become an event. */
export interface ReadEvent {
  readonly contract: Contract
  /** Avro form; the gateway still gives `eventId` ('') and `version` (0). */
  readonly record: Values
  readonly recordId: string
  /** The part of the record id before the slash. */
  readonly source: string
  readonly authorityCode: string | null
  readonly kind: string
  readonly ended: boolean
  /** Where the version comes from: the source's number, else its time in ms, else the gateway counts. */
  readonly origin: { readonly from: 'source' | 'time', readonly version: number } | { readonly from: 'counter' }
  /** Body hash, 32 bytes. */
  readonly hash: Buffer
  /** Credit code of the firm the record is about, for `ce_subject`. */
  readonly subject: string | null
  /** When the source recorded it, else now; ms UTC. */
  readonly timeMs: number
  /** Keys of `READ_FLAGS`. */
  readonly flags: string[]
}

export type ReadResult = { readonly ok: true, readonly event: ReadEvent } | { readonly ok: false, readonly recordId?: string, readonly problems: Invalid[] }

interface Reader {
  readonly contract: Contract
  readonly read: ReadValue
  readonly check: Check
}

const readers = Object.fromEntries(DATA_STREAMS.map((stream) => [stream, { record: recordReaderOf(stream), stub: stubReaderOf(stream) }])) as Record<DataStream, { record: Reader, stub: Reader }>

/**
 * Reads one event of a stream from parsed JSON, telling every problem at once and never a value. Of an ending kind the stub alone is read; the record's
 * other fields may stand in the input and are dropped unread.
 * @param region the gateway's
 * @param now ms UTC
 */
export function readEvent(stream: DataStream, region: Region, input: unknown, now: number): ReadResult {
  const reading = new Reading(stream, region, now, dayOf(now))
  if (!isObject(input)) {
    reading.refuse('', 'type', 'object')
    return { ok: false, problems: reading.problems }
  }
  const ended = typeof input['kind'] === 'string' && isEnding(input['kind'])
  const { contract, read, check } = ended ? readers[stream].stub : readers[stream].record
  const record = read(ended ? withTraderDivision(stream, input) : input, reading) as Values
  if (reading.problems.length === 0) check(record, reading, input)
  if (reading.problems.length > 0) return { ok: false, ...nameable(record['recordId']), problems: reading.problems }
  const recordId = record['recordId'] as string
  return {
    ok: true,
    event: {
      contract, record, recordId, ended,
      source: recordId.slice(0, recordId.indexOf('/')),
      authorityCode: (record['authority'] as { code: string | null }).code,
      kind: record['kind'] as string,
      origin: originOf(reading),
      hash: bodyHash(record),
      subject: subjectOf(contract, record),
      timeMs: record['recordedAt'] as number,
      flags: reading.flags,
    },
  }
}

let day = { number: NaN, text: '' }

/** `YYYY-MM-DD` in Asia/Shanghai, the same text all day. */
function dayOf(now: number): string {
  const number = shanghaiDay(now)
  if (number !== day.number) day = { number, text: dateText(number) }
  return day.text
}

function recordReaderOf(stream: DataStream): Reader {
  const contract = contractFor(stream, 'original')
  return { contract, read: recordReader(shapeOf(contract.schema), '', envelopeOf(stream, contract)), check: RECORD_CHECKS[stream] }
}

function stubReaderOf(stream: DataStream): Reader {
  const contract = contractFor(stream, 'void')
  const dropped = new Set(contractFor(stream, 'original').schema.fields.map(({ name }) => name))
  return { contract, read: recordReader(shapeOf(contract.schema), '', envelopeOf(stream, contract), dropped), check: STUB_CHECKS[stream] }
}

function envelopeOf(stream: DataStream, contract: Contract): typeof ENVELOPE {
  const field = contract.schema.fields.find(({ name }) => name === 'legalBasis')!
  return { ...ENVELOPE, legalBasis: { read: stringReader(field, 'legalBasis', false), absent: () => legalBasis(stream) } }
}

function originOf({ version, recordedAt }: Reading): ReadEvent['origin'] {
  if (version !== undefined) return { from: 'source', version }
  return recordedAt === undefined ? { from: 'counter' } : { from: 'time', version: recordedAt }
}

/** The stub of a complaint keeps the trader's division; a whole record has it with the trader. */
function withTraderDivision(stream: DataStream, input: Values): Values {
  if (stream !== 'complaint' || typeof input['traderDivision'] === 'string') return input
  const [traderDivision] = [input['verified'], input['respondent']].flatMap((party) => (isObject(party) && typeof party['division'] === 'string' ? [party['division']] : []))
  return traderDivision === undefined ? input : { ...input, traderDivision }
}

/** A refused event is named by its record id only where that was good: it may be what must not be kept. */
function nameable(recordId: unknown): { recordId?: string } {
  return typeof recordId === 'string' ? { recordId } : {}
}
