import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import { contractFor } from '@hub/schemas/contracts'
import { readEvent } from '@hub/schemas/read-event'
import type { Region } from '@hub/schemas/streams'
import { serveChild } from '../child.ts'
import { complaintVersions } from '../complaints.ts'

// What a good engineer's publisher does without a hub: encode through the registry's client, send batches, wait for all replicas. Whatever it had not
// sent is lost with the process, and nothing refuses a bad event.

export interface PublishPeerSettings {
  brokers: string[]
  username: string
  password: string
  topic: string
  registryUrl: string
  region: Region
  seed: number
  events: number
  batch: number
}

export interface PublishPeerResult { seconds: number, acknowledged: number }

serveChild(async (settings: PublishPeerSettings) => {
  const contract = contractFor('complaint', 'original')
  const records = complaintVersions(settings.events, settings.seed, settings.region).map((input) => {
    const read = readEvent('complaint', settings.region, input, Date.now())
    if (!read.ok) throw new Error('a generated complaint is not one')
    return { ...read.event.record, recordId: read.event.recordId, version: input.version }
  })
  const kafka = new kafkajs.Kafka({ brokers: settings.brokers, sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password }, logLevel: kafkajs.logLevel.NOTHING })
  const registry = new SchemaRegistry({ host: settings.registryUrl })
  const schemaId = await registry.getRegistryId(contract.subject, 'latest')
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let acknowledged = 0
  const began = performance.now()
  for (let from = 0; from < records.length; from += settings.batch) {
    const messages = await Promise.all(records.slice(from, from + settings.batch).map(async (record) => {
      const eventId = randomUUID()
      return {
        key: record.recordId,
        value: await registry.encode(schemaId, { ...record, eventId }),
        headers: { ce_id: eventId, ce_source: `/region/${settings.region}`, ce_type: contract.fullName, ce_time: new Date().toISOString(), ce_specversion: '1.0', 'content-type': 'application/avro' },
      }
    }))
    await producer.send({ topic: settings.topic, messages, acks: -1 })
    acknowledged += messages.length
  }
  const seconds = (performance.now() - began) / 1000
  await producer.disconnect()
  return { seconds, acknowledged } satisfies PublishPeerResult
})
