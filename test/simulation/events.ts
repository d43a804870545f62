import type { VersionOrigin } from '@hub/gateway/publish/publish-decision'
import type { PreparedEvent } from '@hub/gateway/publish/publish-batch'
import type { Item } from '@hub/schemas/log-item'
import { parkedHash } from '@hub/schemas/park'
import { isEnding, recordHash } from '@hub/schemas/record-rule'
import type { Entry } from './broker.ts'

/** Partitions of each simulated topic, and records in each of them. */
export const PARTITIONS = 2
export const RECORDS = 3

/** What a source sends: `record`, `body`, `version` and `kind` are small numbers. */
export interface Wish {
  readonly id: string
  readonly record: number
  readonly version: number
  readonly body: number
  readonly kind: number
}

const KINDS = ['original', 'correction', 'follow-up', 'void', 'restored', 'correction', 'original', 'expiry'] as const

interface Wire {
  readonly what: 'record' | 'genesis' | 'heartbeat'
  readonly id?: string
  readonly version?: number
  readonly body?: number
  readonly kind?: string
  readonly eventId?: string
  readonly number?: number
  readonly committedAt?: number
}

/** The first record counts its versions, the second has the source's numbers, the third its times. */
export function eventOf(topic: string, wish: Wish): PreparedEvent {
  const record = wish.record % (PARTITIONS * RECORDS)
  const kind = KINDS[wish.kind % KINDS.length]!
  const body = wish.body % 3
  const recordId = `r${record}`
  const origin: VersionOrigin = record % 3 === 0 ? { from: 'counter' } : { from: record % 3 === 1 ? 'source' : 'time', version: 1 + (wish.version % 9) }
  return {
    topic, partition: record % PARTITIONS, recordId, type: 'cn.yrd.complaint.Complaint', kind, ended: isEnding(kind), origin,
    hash: Buffer.from(`${kind} ${body}`), eventId: wish.id, subject: null, timeMs: 0, traceparent: null, flags: [],
    encode: (version) => write({ what: 'record', id: recordId, version, body, kind, eventId: wish.id }),
  }
}

export function encodeGenesis(): Buffer {
  return write({ what: 'genesis' })
}

export function encodeHeartbeat(number: number, committedAt: number): Buffer {
  return write({ what: 'heartbeat', number, committedAt })
}

export function encodePoison(id: string): Buffer {
  return Buffer.from(`poison ${id}`)
}

/** What a replica makes of an event; decoding proper has its own tests. */
export function itemOf({ offset, key, value, headers }: Entry, logEnd: number): Item {
  const sequence = headers['sequence'] === undefined ? undefined : Number(headers['sequence'])
  const consumed = { offset, sequence, logEnd, size: 1 }
  if (value[0] !== 0x7b) return { ...consumed, what: 'parked', key, reason: 'undecodable', subject: undefined, hash: parkedHash(offset, value) }
  const wire = JSON.parse(value.toString()) as Wire
  if (wire.what !== 'record') {
    const heartbeat = wire.what === 'genesis' ? undefined : { number: wire.number!, committedAt: wire.committedAt!, delayMs: Number(headers['delay-ms'] ?? 0) }
    return { ...consumed, what: 'control', key, heartbeat }
  }
  const version = BigInt(wire.version!)
  return { ...consumed, what: 'record', key, version, hash: recordHash(key, version, value), kind: wire.kind!, ended: isEnding(wire.kind!), eventId: wire.eventId!, body: value, columns: [] }
}

function write(wire: Wire): Buffer {
  return Buffer.from(JSON.stringify(wire))
}
