import { createCodec } from '@hub/runtime/codec'
import type { OrderedProducer, ProduceBatch } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { sampleRecord } from '@hub/schemas/samples'
import { PARTITIONS, REGIONS, topicName, type Region } from '@hub/schemas/streams'
import type { Hub } from './hub.ts'

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const PER_SEND = 4_000
const BEAT_MS = 2_000
const LISTING = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')

/** Different for different n, and spread like real ones: a division, then an organisation code. */
export function codeOf(n: number): string {
  let rest = n
  let organisation = ''
  for (let at = 0; at < 6; at++) {
    organisation += ALPHABET[rest % 31]
    rest = Math.floor(rest / 31)
  }
  return `91${310_000 + (n % 97) * 10}MA1${organisation}${ALPHABET[n % 29]}`
}

export function recordIdOf(n: number): string {
  return `${REGIONS[n % 4]!}-credit/${33_102_257 + n}`
}

export function nameOf(n: number): string {
  return `东阳渚垣斋教育咨询第${n}有限公司`
}

/** As the gateway gives them, UUID v7, and the same for the same version: who keeps the same data gives the same answer. */
export function eventIdOf(n: number, version: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  return `019abc12-${hex(version % 65_536, 4)}-7abc-8def-${hex(n, 12)}`
}

/** A version of the listing of a subject, in its Avro form. */
export function listingOf(n: number, version: number): object {
  return { ...LISTING, eventId: eventIdOf(n, version), recordId: recordIdOf(n), version, region: REGIONS[n % 4]!, subject: { ...LISTING['subject'] as object, uscc: codeOf(n), regNo: null, name: nameOf(n) } }
}

/** Writes credit lists of the four regions to the log, as their relays would. */
export interface CreditLog extends AsyncDisposable {
  /** A version of the listings of these subjects. */
  listings(numbers: Iterable<number>, version: number): Promise<void>
}

/** Every region has a source that has handed everything over, and hearts that beat until it is disposed. */
export async function openCreditLog(hub: Hub): Promise<CreditLog> {
  const codec = await createCodec({ registryUrl: hub.registryUrl, cacheDir: hub.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log: createLog({ service: 'bench', level: 'silent' }) })
  const [{ encode: encodeListing }, { encode: encodeHeartbeat }, { encode: encodeStatus }] = await Promise.all([codec.writer('cn.yrd.credit_blacklist.CreditRecord'), codec.writer('cn.yrd.control.Heartbeat'), codec.writer('cn.yrd.source_status.SourceStatus')])
  const status = sampleRecord('cn.yrd.source_status.SourceStatus')
  const producers = new Map<Region, OrderedProducer>(REGIONS.map((region) => [region, hub.kafka(region).producer()]))
  const sequences = new Map<string, number>()
  // A producer sends one batch after the other.
  let last: Promise<unknown> = Promise.resolve()
  const send = (region: Region, batches: ProduceBatch[]): Promise<unknown> => last = last.then(() => producers.get(region)!.send(batches.map(({ topic, partition, messages }) => ({
    topic, partition, messages: messages.map(({ key, value, headers }) => {
      const sequence = sequences.get(`${topic}/${partition}`) ?? 0
      sequences.set(`${topic}/${partition}`, sequence + 1)
      return { key, value, headers: { ...headers, sequence: String(sequence) } }
    }),
  }))))
  let number = 0
  const beat = async (): Promise<void> => {
    number++
    for (const region of REGIONS) {
      const value = encodeHeartbeat({ number, committedAt: Date.now() })
      await send(region, Array.from({ length: PARTITIONS['credit-blacklist'] }, (_, partition) => ({ topic: topicName(region, 'credit-blacklist', hub.prefix), partition, messages: [{ key: 'heartbeat', value, headers: { 'delay-ms': '0' } }] })))
    }
  }
  for (const region of REGIONS) {
    const value = encodeStatus({ ...status, region, sourceSystem: 'credit', cadenceSeconds: 400 * 86_400, lastHandOver: { ...status['lastHandOver'] as object, at: Date.now(), partitions: [] } })
    await send(region, [{ topic: topicName(region, 'source-status', hub.prefix), partition: 0, messages: [{ key: 'credit', value, headers: {} }] }])
  }
  await beat()
  const beating = setInterval(() => void beat().catch(() => {}), BEAT_MS)
  return {
    async listings(numbers, version) {
      let waiting = new Map<Region, Map<number, ProduceBatch['messages'][number][]>>()
      let count = 0
      const flush = async (): Promise<void> => {
        for (const [region, partitions] of waiting) await send(region, [...partitions].map(([partition, messages]) => ({ topic: topicName(region, 'credit-blacklist', hub.prefix), partition, messages })))
        waiting = new Map()
        count = 0
      }
      for (const n of numbers) {
        const region = REGIONS[n % 4]!
        const recordId = recordIdOf(n)
        const partition = partitionOf(recordId, PARTITIONS['credit-blacklist'])
        const value = encodeListing(listingOf(n, version))
        const partitions = waiting.get(region) ?? new Map<number, ProduceBatch['messages'][number][]>()
        waiting.set(region, partitions)
        const messages = partitions.get(partition) ?? []
        partitions.set(partition, messages)
        messages.push({ key: recordId, value, headers: { ce_type: 'cn.yrd.credit_blacklist.CreditRecord' } })
        if (++count === PER_SEND) await flush()
      }
      await flush()
    },
    async [Symbol.asyncDispose]() {
      clearInterval(beating)
      await last.catch(() => {})
      await Promise.all([...producers.values()].map((producer) => producer.close()))
    },
  }
}
