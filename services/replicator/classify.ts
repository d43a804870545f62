import type { Codec, Decoded } from '@hub/runtime/codec'
import type { Message } from '@hub/runtime/kafka'
import { type Contract, contractByName } from '@hub/schemas/contracts'
import { partitionOf } from '@hub/schemas/partition'
import { isEnding, isKind, recordHash } from '@hub/schemas/record-rule'
import { type DataStream, PARTITIONS, topicName } from '@hub/schemas/streams'
import { columnValues, type ColumnValue, TABLES } from '@hub/schemas/tables'
import { keyOfTechnical } from './handlers/index.ts'
import type { ControlItem, Item, RecordItem, TechnicalItem } from './item.ts'
import { headerText, keyText, parkedHash, type ParkReason } from './park.ts'
import type { Slot } from './slot.ts'
import { isStorable, isStorableTechnical, isStorableText } from './storable.ts'

const GENESIS = 'cn.yrd.control.Genesis'
const HEARTBEAT = 'cn.yrd.control.Heartbeat'
/** What an item takes beside its value: objects, strings, typed columns. */
const OVERHEAD_BYTES = 1_000

/** Whose events a partition has: all that classifying goes by. */
export type LogPlace = Pick<Slot, 'region' | 'stream' | 'partition' | 'technical'>

/**
 * What one event of a partition is. Bytes that are kept are copied out of the fetch answer.
 * @returns a promise when the event's schema is being asked for: call again when it settled.
 */
export function classify(codec: Codec, slot: LogPlace, message: Message, logEnd: number): Item | Promise<void> {
  const offset = Number(message.offset)
  const sequence = sequenceOf(message.headers['sequence'])
  const size = OVERHEAD_BYTES + (message.value?.length ?? 0)
  const read = message.value === null ? 'no-value' : message.key === null ? 'no-key' : readEvent(codec, slot, message, message.key, message.value, sequence)
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

function readEvent(codec: Codec, slot: LogPlace, message: Message, key: Buffer, value: Buffer, sequence: number | undefined): Read | ParkReason | Promise<void> {
  const decoded: Decoded = codec.decode(value)
  if (!decoded.ok) return decoded.reason === undefined ? decoded.pending : decoded.reason
  const contract = contractByName(decoded.fullName)
  if (contract === undefined) return 'unknown-contract'
  if (contract.role === 'control') {
    const control = controlOf(contract, slot, message, decoded.record)
    return control === undefined ? 'unexpected-control' : sequence === undefined && contract.fullName !== GENESIS ? 'no-sequence' : control
  }
  if (sequence === undefined) return 'no-sequence'
  return slot.technical ? technicalOf(contract, slot, key, decoded.record) : recordOf(contract, slot, key, value, decoded.record)
}

function controlOf(contract: Contract, slot: LogPlace, { key, headers }: Message, record: Record<string, unknown>): Without<ControlItem> | undefined {
  const name = key?.toString('latin1')
  if (contract.fullName === GENESIS && name === 'genesis') {
    const here = record['topic'] === topicName(slot.region, slot.stream) && record['partition'] === slot.partition
    return here ? { what: 'control', key: name, heartbeat: undefined } : undefined
  }
  if (contract.fullName !== HEARTBEAT || name !== 'heartbeat') return undefined
  const [number, committedAt] = [record['number'] as number, record['committedAt'] as number]
  if (!(number >= 0)) return undefined
  return { what: 'control', key: name, heartbeat: { number, committedAt, delayMs: sequenceOf(headers['delay-ms']) ?? 0 } }
}

function technicalOf(contract: Contract, slot: LogPlace, key: Buffer, record: Record<string, unknown>): Without<TechnicalItem> | ParkReason {
  if (contract.stream !== slot.stream) return 'foreign-contract'
  if (!isStorableTechnical(record)) return 'unstorable'
  const expected = keyOfTechnical(contract.fullName, record)
  if (expected === undefined || key.toString('utf8') !== expected) return 'wrong-key'
  if (record['region'] !== slot.region) return 'wrong-region'
  return { what: 'technical', key: expected, contract: contract.fullName, record }
}

function recordOf(contract: Contract, slot: LogPlace, key: Buffer, value: Buffer, record: Record<string, unknown>): Without<RecordItem> | ParkReason {
  if (contract.stream !== slot.stream) return 'foreign-contract'
  const stream = slot.stream as DataStream
  const { recordId, version, kind, region, eventId } = record as { recordId: string; version: number; kind: string; region: string; eventId: string }
  // Bytes, not text: broken UTF-8 of different keys reads as the same text.
  if (!Buffer.from(recordId, 'utf8').equals(key)) return 'wrong-key'
  if (region !== slot.region) return 'wrong-region'
  if (partitionOf(recordId, PARTITIONS[stream]) !== slot.partition) return 'wrong-partition'
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
