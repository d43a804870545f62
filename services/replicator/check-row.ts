import type { Codec } from '@hub/runtime/codec'
import type { DataStream, Region } from '@hub/schemas/streams'
import { type PgType, TABLES } from '@hub/schemas/tables'
import { classify } from './classify.ts'
import type { Column, RecordItem } from '@hub/schemas/log-item'
import type { ParkReason } from '@hub/schemas/park'

/** A partition of a data stream. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly stream: DataStream
}

/** A current row as the scrubber reads it: `kept` is what stands in its columns, as text, in the order of `keptNames`. */
export interface KeptRow {
  readonly record_id: string
  readonly body: Buffer
  readonly kept: string
}

const BETWEEN = '\x1F'
const NULL = '\x1E'
const COMMON = ['version', 'kind', 'ended', 'event_id', 'hash'] as const

/** The names of what `kept` holds: columns that the body alone decides. */
export function keptNames(stream: DataStream): string[] {
  return [...COMMON, ...TABLES[stream].columns.map(({ name }) => name)]
}

/** The SQL of `kept`. One text is a fifth of the work of twenty columns, for the driver above all. */
export function keptSql(stream: DataStream): string {
  const common = ['version::text', 'kind', 'ended::text', 'event_id', `encode(int8send(hash_hi) || int8send(hash_lo), 'hex')`]
  const typed = TABLES[stream].columns.map(({ name, pgType }) => `coalesce(${textSql(name, pgType)}, E'\\x1E')`)
  return `concat_ws(E'\\x1F', ${[...common, ...typed].join(', ')})`
}

function textSql(name: string, pgType: PgType): string {
  if (pgType === 'text') return name
  return pgType === 'timestamptz' ? `(extract(epoch FROM ${name}) * 1000)::int8::text` : `${name}::text`
}

/** What `kept` must be for a version of a record. */
export function keptOf({ version, kind, ended, eventId, hash, columns }: RecordItem): string {
  let text = `${version}${BETWEEN}${kind}${BETWEEN}${ended}${BETWEEN}${eventId}${BETWEEN}${hash.toString('hex')}`
  for (const column of columns) text += BETWEEN + textOf(column)
  return text
}

export function splitKept(kept: string): (string | null)[] {
  return kept.split(BETWEEN).map((text) => (text === NULL ? null : text))
}

function textOf(value: Column): string {
  return value === null ? NULL : String(value)
}

/**
 * What the log's bytes make of a record here, by the applier's own classification.
 * @returns why they would be parked, or a promise while their schema is being asked for
 */
export function readBody(codec: Codec, place: Place, key: string, body: Buffer, offset = 0): RecordItem | ParkReason | Promise<void> {
  const item = classify(codec, { ...place, technical: false }, { offset: BigInt(offset), key: Buffer.from(key), value: body, headers: ANY_SEQUENCE }, 0)
  if (item instanceof Promise) return item
  if (item.what === 'record') return item
  return item.what === 'parked' ? item.reason as ParkReason : 'unexpected-control'
}

const ANY_SEQUENCE = { sequence: Buffer.from('0') }
