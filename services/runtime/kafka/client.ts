import './record-encoding-patch.ts' // before kafkajs
import './record-decoding-patch.ts' // before kafkajs
import './fetch-session-patch.ts'
import kafkajs, { CompressionTypes, Kafka as KafkaJs, logLevel, type KafkaConfig as KafkaJsConfig, type logCreator } from 'kafkajs'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { failpointsOn } from '../failpoint.ts'
import type { Log } from '../log.ts'
import { createAdmin, type Admin } from './admin.ts'
import { readFirst, subscribe, type Message, type SubscribeOptions, type Subscription } from './consumer.ts'
import { createProducer, type OrderedProducer } from './producer.ts'
import { stopPerpetualTimer } from './request-queue-patch.ts'
import { markSentRequests } from './sent-failpoint.ts'

export interface KafkaConfig {
  readonly brokers: readonly string[]
  readonly username?: string
  readonly password?: string
  readonly clientId: string
}

/** The only door to kafkajs. Every consumer and producer gets a client of its own: they share state inside one (platform reference, C15). */
export interface Kafka {
  producer(options?: { deadlineMs?: number }): OrderedProducer
  subscribe(options: SubscribeOptions): Promise<Subscription>
  admin(): Promise<Admin>
  /** The first record still on each partition, by `topic/partition`; empty partitions are left out. */
  readFirst(options: { groupId: string; topics: readonly string[]; deadlineMs: number }): Promise<Map<string, Message>>
}

export function createKafka(config: KafkaConfig, log: Log): Kafka {
  stopPerpetualTimer()
  if (failpointsOn) markSentRequests()
  registerCodecs()
  const client = (): KafkaJs => new KafkaJs(settings(config, log))
  return {
    producer: (options) => createProducer(client, log, options?.deadlineMs),
    subscribe: (options) => subscribe(client, log, options),
    admin: () => createAdmin(client()),
    readFirst: (options) => readFirst(client, log, options),
  }
}

function settings(config: KafkaConfig, log: Log): KafkaJsConfig {
  return {
    brokers: [...config.brokers],
    clientId: config.clientId,
    connectionTimeout: 10_000,
    requestTimeout: 30_000,
    authenticationTimeout: 10_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.INFO,
    logCreator: toPino(log),
    ...(config.username === undefined ? {} : { sasl: { mechanism: 'scram-sha-512' as const, username: config.username, password: config.password ?? '' } }),
  }
}

// Normal life (rebalances, a leader that is loading) is logged at ERROR by kafkajs.
const CHATTER = /rebalanc|Response (Heartbeat|JoinGroup|SyncGroup|GroupCoordinator|FindCoordinator|LeaveGroup)|group coordinator is not available|coordinator is loading|not the correct coordinator|Connection error|Connection timeout|Failed to connect|Starting|Consumer has joined|Stopped|Limiting retries/i

function toPino(log: Log): logCreator {
  return () => ({ level, namespace, log: entry }) => {
    const { message, timestamp: _timestamp, logger: _logger, ...fields } = entry
    const quiet = CHATTER.test(message) || CHATTER.test(String(fields['error'] ?? ''))
    const write = quiet ? 'debug' : level === logLevel.ERROR ? 'error' : level === logLevel.WARN ? 'warn' : 'debug'
    log[write]({ kafka: namespace, broker: fields['broker'], error: fields['error'], groupId: fields['groupId'], retryCount: fields['retryCount'] }, message)
  }
}

function registerCodecs(): void {
  const compress = promisify(zstdCompress)
  const decompress = promisify(zstdDecompress)
  // A batch in an unknown codec stops a consumer for good, so every codec of node:zlib is known (gzip is built in).
  // Off the default export: Node does not find this name of the CommonJS package.
  kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
    decompress: (buffer: Buffer) => decompress(buffer),
  })
}
