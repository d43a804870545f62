import { type Contract, contractByName } from './contracts.ts'
import type { Cut } from './generated/cut.ts'
import type { ControlItem, Item, RecordItem, TechnicalItem } from './log-item.ts'
import { headerText, keyText, parkedHash, type ParkReason } from './park.ts'
import { partitionOf } from './partition.ts'
import { dateText } from './record-json.ts'
import { isEnding, isKind, recordHash } from './record-rule.ts'
import { isRolled } from './rollups.ts'
import { type DataStream, PARTITIONS, type Region, type Stream, topicName } from './streams.ts'
import { isStorable, isStorableTechnical, isStorableText } from './storable.ts'
import { columnValues, type ColumnValue, TABLES } from './tables.ts'

const GENESIS = 'cn.yrd.control.Genesis'
const HEARTBEAT = 'cn.yrd.control.Heartbeat'
const CUT = 'cn.yrd.control.Cut'
/** Header with the first sequence that a log was given, when that is not 0. */
export const SEQUENCE_START = 'sequence-start'
/** What an item takes beside its value: objects, strings, typed columns. */
const OVERHEAD_BYTES = 1_000

/** Whose events a partition has: all that classifying goes by. */
export interface LogPlace {
  readonly region: Region
  readonly stream: Stream
  readonly partition: number
  readonly technical: boolean
}

/** One event as it stands on the log. */
export interface LogMessage {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

/** What decodes the wire format: the codec of the runtime. */
export interface Decoder {
  decode(wire: Buffer): Decoded
}

type Decoded =
  | { readonly ok: true; readonly fullName: string; readonly record: Record<string, unknown> }
  | { readonly ok: false; readonly reason: Extract<ParkReason, 'not-avro-framed' | 'unknown-schema' | 'bounds' | 'undecodable' | 'unknown-contract'> }
  | { readonly ok: false; readonly reason?: undefined; readonly pending: Promise<void> }

/** The Kafka key that an event of a technical contract has; undefined for a contract that the reader does not know. */
export type TechnicalKey = (contract: string, record: unknown) => string | undefined

/**
 * What one event of a partition is, the same for every reader: it depends on its bytes and the released contracts alone. Bytes that are kept are copied
 * out of the fetch answer.
 * @param keyOf for technical topics
 * @returns a promise when the event's schema is being asked for: call again when it settled.
 */
export function classifyEvent(codec: Decoder, place: LogPlace, message: LogMessage, logEnd: number, keyOf: TechnicalKey): Item | Promise<void> {
  const offset = Number(message.offset)
  const sequence = sequenceOf(message.headers['sequence'])
  const size = OVERHEAD_BYTES + (message.value?.length ?? 0)
  const read = message.value === null ? 'no-value' : message.key === null ? 'no-key' : readEvent(codec, place, message, message.key, message.value, sequence, keyOf)
  if (read instanceof Promise) return read
  if (typeof read === 'string') {
    return {
      what: 'parked', offset, sequence, logEnd, size, reason: read, key: keyText(message.key), subject: headerText(message.headers['ce_subject']), hash: parkedHash(offset, message.value),
    }
  }
  // Written out: this runs for every event, and spreading costs as much as decoding.
  if (read.what === 'record') {
    return { what: 'record', offset, sequence, logEnd, size, key: read.key, version: read.version, hash: read.hash, kind: read.kind, ended: read.ended, eventId: read.eventId, body: read.body, columns: read.columns }
  }
  return { ...read, offset, sequence, logEnd, size }
}

type Without<T> = Omit<T, 'offset' | 'sequence' | 'logEnd' | 'size'>
type Read = Without<RecordItem> | Without<ControlItem> | Without<TechnicalItem>

function readEvent(codec: Decoder, place: LogPlace, message: LogMessage, key: Buffer, value: Buffer, sequence: number | undefined, keyOf: TechnicalKey): Read | ParkReason | Promise<void> {
  const decoded: Decoded = codec.decode(value)
  if (!decoded.ok) return decoded.reason === undefined ? decoded.pending : decoded.reason
  const contract = contractByName(decoded.fullName)
  if (contract === undefined) return 'unknown-contract'
  if (contract.role === 'control') {
    const control = controlOf(contract, place, message, decoded.record)
    return control === undefined ? 'unexpected-control' : sequence === undefined && contract.fullName !== GENESIS ? 'no-sequence' : control
  }
  if (sequence === undefined) return 'no-sequence'
  return place.technical ? technicalOf(contract, place, key, decoded.record, keyOf) : recordOf(contract, place, key, value, decoded.record)
}

function controlOf(contract: Contract, place: LogPlace, { key, headers }: LogMessage, record: Record<string, unknown>): Without<ControlItem> | undefined {
  const name = key?.toString('latin1')
  if (contract.fullName === GENESIS && name === 'genesis') {
    const here = record['topic'] === topicName(place.region, place.stream) && record['partition'] === place.partition
    return here ? { what: 'control', key: name, heartbeat: undefined } : undefined
  }
  if (contract.fullName === CUT) return cutOf(place, name, record)
  if (contract.fullName !== HEARTBEAT || name !== 'heartbeat') return undefined
  const [number, committedAt] = [record['number'] as number, record['committedAt'] as number]
  if (!(number >= 0)) return undefined
  return { what: 'control', key: name, heartbeat: { number, committedAt, delayMs: sequenceOf(headers['delay-ms']) ?? 0 } }
}

function cutOf(place: LogPlace, key: string | undefined, record: Record<string, unknown>): Without<ControlItem> | undefined {
  const { campaign, year, topic, partition, cutAt, firstDay, lastDay, demo, sources, periods, tradersFrom } = record as unknown as Cut
  if (!isRolled(place.stream) || topic !== topicName(place.region, place.stream) || partition !== place.partition || key !== `cut/${campaign}/${year}` || !isStorableCut(record)) return undefined
  return {
    what: 'control', key, heartbeat: undefined,
    cut: {
      campaign, year, cutAt, firstDay: dateText(firstDay), lastDay: dateText(lastDay), demo,
      periods: periods.map((period) => ({ firstDay: dateText(period.firstDay), lastDay: dateText(period.lastDay) })), tradersFrom: tradersFrom === null ? null : dateText(tradersFrom),
      sources: sources.map(({ sourceSystem, owner, baselineComplete, lastHandOverAt }) => ({ source: sourceSystem, owner, baselineComplete, lastHandOver: lastHandOverAt })),
    },
  }
}

/** Days from 1970 to 2999, so that PostgreSQL takes them. */
function isStorableCut(record: Record<string, unknown>): boolean {
  const { firstDay, lastDay, periods, tradersFrom } = record as unknown as Cut
  return isStorableTechnical(record) && [firstDay, lastDay, ...(tradersFrom === null ? [] : [tradersFrom]), ...periods.flatMap((period) => [period.firstDay, period.lastDay])].every((day) => day >= 0 && day < 376_000)
}

function technicalOf(contract: Contract, place: LogPlace, key: Buffer, record: Record<string, unknown>, keyOf: TechnicalKey): Without<TechnicalItem> | ParkReason {
  if (contract.stream !== place.stream) return 'foreign-contract'
  if (!isStorableTechnical(record)) return 'unstorable'
  const expected = keyOf(contract.fullName, record)
  if (expected === undefined || key.toString('utf8') !== expected) return 'wrong-key'
  if (record['region'] !== place.region) return 'wrong-region'
  return { what: 'technical', key: expected, contract: contract.fullName, record }
}

function recordOf(contract: Contract, place: LogPlace, key: Buffer, value: Buffer, record: Record<string, unknown>): Without<RecordItem> | ParkReason {
  if (contract.stream !== place.stream) return 'foreign-contract'
  const stream = place.stream as DataStream
  const { recordId, version, kind, region, eventId } = record as { recordId: string; version: number; kind: string; region: string; eventId: string }
  // Bytes, not text: broken UTF-8 of different keys reads as the same text.
  if (!Buffer.from(recordId, 'utf8').equals(key)) return 'wrong-key'
  if (region !== place.region) return 'wrong-region'
  if (partitionOf(recordId, PARTITIONS[stream]) !== place.partition) return 'wrong-partition'
  if (!(version >= 1)) return 'bad-version'
  if (!isKind(kind)) return 'unknown-kind'
  const ended = isEnding(kind)
  if (ended !== (contract.role === 'stub')) return 'foreign-contract'
  if (!isStorableText(recordId) || !isStorableText(eventId)) return 'unstorable'
  const columns = storableColumns(contract, stream, record)
  if (columns === undefined) return 'unstorable'
  const body = Buffer.from(value)
  const number = BigInt(version)
  return { what: 'record', key: recordId, version: number, hash: recordHash(recordId, number, body), kind, ended, eventId, body, columns }
}

function storableColumns(contract: Contract, stream: DataStream, record: Record<string, unknown>): ColumnValue[] | undefined {
  try {
    const values = columnValues(contract, record)
    const { columns } = TABLES[stream]
    for (let i = 0; i < values.length; i++) if (!isStorable(columns[i]!.pgType, values[i]!)) return undefined
    return values
  } catch (error) {
    // A day number beyond every calendar.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * Whether an event says of itself that its sequence is the first of its log: the topic was created anew and its sequences go on. Nothing is lost where a log
 * without any sequence so far begins with it.
 */
export function startsLog({ headers }: Pick<LogMessage, 'headers'>): boolean {
  const start = sequenceOf(headers[SEQUENCE_START])
  return start !== undefined && start === sequenceOf(headers['sequence'])
}

/** A whole number in decimal digits, as headers carry it. */
function sequenceOf(header: Buffer | undefined): number | undefined {
  if (header === undefined || header.length === 0 || header.length > 15) return undefined
  let number = 0
  for (const byte of header) {
    if (byte < 48 || byte > 57) return undefined
    number = number * 10 + byte - 48
  }
  return number
}
