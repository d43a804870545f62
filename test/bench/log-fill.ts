import { randomUUID } from 'node:crypto'
import { createCodec } from '@hub/runtime/codec'
import type { ProduceBatch } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { ALL_CONTRACTS, contractFor } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { readEvent } from '@hub/schemas/read-event'
import { PARTITIONS, topicName, type Region } from '@hub/schemas/streams'
import type { ComplaintEvent } from '../data/generate.ts'
import { VoidRun } from './bench.ts'
import type { Hub } from './hub.ts'

type Message = ProduceBatch['messages'][number]
const MESSAGES_PER_BATCH = 500

/** Complaints as the relay would send them, per partition in sequence; `sequences` = those of each partition that were sent before. */
export async function encodeComplaints(hub: Hub, region: Region, events: Iterable<ComplaintEvent>, sequences?: readonly number[]): Promise<Message[][]> {
  const contract = contractFor('complaint', 'original')
  const codec = await createCodec({ registryUrl: hub.registryUrl, cacheDir: hub.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log: createLog({ service: 'bench', level: 'silent' }) })
  const { encode } = await codec.writer(contract.fullName)
  const partitions: Message[][] = Array.from({ length: PARTITIONS.complaint }, () => [])
  for (const input of events) {
    const read = readEvent('complaint', region, input, Date.now())
    if (!read.ok) throw new VoidRun(`a generated complaint is not one: ${JSON.stringify(read.problems)}`)
    const { record, recordId, subject, timeMs } = read.event
    const partition = partitionOf(recordId, partitions.length)
    const messages = partitions[partition]!
    const eventId = randomUUID()
    messages.push({
      key: recordId,
      value: encode({ ...record, eventId, version: input.version }),
      headers: {
        ce_id: eventId, ce_source: `/region/${region}`, ce_type: contract.fullName, ce_time: new Date(timeMs).toISOString(), ce_specversion: '1.0',
        'content-type': 'application/avro', sequence: String((sequences?.[partition] ?? 0) + messages.length), ...(subject !== null && { ce_subject: subject }),
      },
    })
  }
  return partitions
}

/** Puts them on the region's own topic, as its user; no relay of that region may run. */
export async function fillLog(hub: Hub, region: Region, partitions: readonly Message[][]): Promise<void> {
  const topic = topicName(region, 'complaint', hub.prefix)
  await using producer = hub.kafka(region).producer()
  const longest = Math.max(...partitions.map((messages) => messages.length))
  for (let from = 0; from < longest; from += MESSAGES_PER_BATCH) {
    await producer.send(partitions.flatMap((messages, partition) => {
      const part = messages.slice(from, from + MESSAGES_PER_BATCH)
      return part.length === 0 ? [] : [{ topic, partition, messages: part }]
    }))
  }
}
