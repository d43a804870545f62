import type { Codec, Writer } from '@hub/runtime/codec'
import type { Caller } from '@hub/runtime/http'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { partitionOf } from '@hub/schemas/partition'
import { readEvent, type ReadEvent } from '@hub/schemas/read-event'
import { isDataStream, PARTITIONS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { allows } from '../callers.ts'
import type { Envelope } from './cloudevent.ts'
import { eventId } from './event-id.ts'
import { MAX_DEPTH, parseJson, type JsonFault } from '../intake/json-line.ts'
import { MAX_EVENT_BYTES, type PreparedEvent } from './publish-batch.ts'
import { problem, type Problem } from '../verdicts/verdict.ts'

/** An event ready to publish, or why it cannot be; `recordId` where it can be told. */
export type Prepared = { event: PreparedEvent } | { refused: Problem[]; recordId?: string }

/** One JSON event as bytes; `undefined` = more than `MAX_EVENT_BYTES`. */
export type Prepare = (bytes: Buffer | undefined) => Prepared

const EXPECTED: Readonly<Record<JsonFault, string>> = {
  'invalid-utf8': 'UTF-8',
  'malformed-json': 'JSON (RFC 8259)',
  'too-deep': `≤ ${MAX_DEPTH}`,
  'duplicate-key': '1',
}

/** What it takes to turn bytes into events of one region. `writers` by contract. */
export interface Preparing {
  readonly region: Region
  readonly topicPrefix: string
  readonly writers: ReadonlyMap<string, Writer>
}

/** With the writer of every contract that events are published by. */
export async function createPreparing(codec: Codec, { region, topicPrefix }: Pick<Preparing, 'region' | 'topicPrefix'>): Promise<Preparing> {
  const contracts = ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream))
  return { region, topicPrefix, writers: new Map(await Promise.all(contracts.map(async ({ fullName }): Promise<[string, Writer]> => [fullName, await codec.writer(fullName)]))) }
}

/**
 * Reads, checks and places events of one stream for one caller, who publishes only for its own sources and authorities; an event that
 * names no authority by code is its source's alone. `envelope` where events come as CloudEvents: what it says must agree with them.
 */
export function preparer(preparing: Preparing, stream: DataStream, caller: Caller, traceparent: string | null, envelope?: Envelope): Prepare {
  const { region } = preparing
  const place = placer(preparing, stream, caller)
  return (bytes) => {
    if (bytes === undefined || bytes.length > MAX_EVENT_BYTES) return { refused: [problem('event-too-large', '', `≤ ${MAX_EVENT_BYTES} bytes`)] }
    const parsed = parseJson(bytes)
    if (!parsed.ok) return { refused: [problem(parsed.fault, nameable(parsed.field), parsed.byte === undefined ? EXPECTED[parsed.fault] : `${EXPECTED[parsed.fault]} @ byte ${parsed.byte}`)] }
    const now = Date.now()
    const enveloped = envelope?.(parsed.value)
    const read = readEvent(stream, region, enveloped === undefined ? parsed.value : enveloped.data, now)
    if (!read.ok) {
      const refused = [...(enveloped?.faults ?? []), ...read.problems].map(({ field, rule, expected }) => problem(rule, field, expected))
      return read.recordId === undefined ? { refused } : { refused, recordId: read.recordId }
    }
    const refused: Problem[] = []
    if (enveloped !== undefined) for (const { field, rule, expected } of [...enveloped.faults, ...enveloped.contradictions(read.event)]) refused.push(problem(rule, field, expected))
    return place(read.event, now, traceparentOf(enveloped?.traceparent) ?? traceparent, refused)
  }
}

/** Checks the rights of a caller over events that were read, and gives them partition and event id. `refused` is what is wrong with one already. */
export function placer({ region, topicPrefix, writers }: Preparing, stream: DataStream, caller: Pick<Caller, 'sources' | 'authorities'>): (event: ReadEvent, now: number, traceparent: string | null, refused?: Problem[]) => Prepared {
  const topic = topicName(region, stream, topicPrefix)
  const partitions = PARTITIONS[stream]
  return ({ contract, record, recordId, source, authorityCode, kind, ended, origin, hash, subject, timeMs, flags }, now, traceparent, refused = []) => {
    if (!allows(caller.sources, source)) refused.push(problem('source-not-allowed', 'recordId', caller.sources.join(', ')))
    if (authorityCode !== null && !allows(caller.authorities, authorityCode)) refused.push(problem('authority-not-allowed', 'authority.code', caller.authorities.join(', ')))
    if (refused.length > 0) return { refused, recordId }
    const writer = writers.get(contract.fullName)!
    const id = eventId(now)
    record['eventId'] = id
    return {
      event: {
        topic, partition: partitionOf(recordId, partitions), recordId, type: contract.fullName, kind, ended, origin, hash, eventId: id,
        encode(version) {
          record['version'] = version
          return writer.encode(record)
        },
        subject, timeMs, traceparent, flags,
      },
    }
  }
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** A W3C trace context header, or null for anything else. */
export function traceparentOf(header: unknown): string | null {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : null
}

/** A key as it may be told: one that is no field's name could be what must not be kept. */
function nameable(key: string): string {
  return /^[A-Za-z_]{0,40}$/.test(key) ? key : '?'
}
