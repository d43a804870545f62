import { CompressionTypes, Partitioners, type Kafka as KafkaJs, type Producer } from 'kafkajs'
import { HubError } from '../errors.ts'
import type { Log } from '../log.ts'
import { brokerErrorType } from './failure.ts'

export interface ProduceBatch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly { readonly key: string | Buffer; readonly value: Buffer; readonly headers?: Record<string, string | Buffer> }[]
}

/** Where a batch landed: its first message at `baseOffset`, the others right behind. */
export interface Produced {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
}

/**
 * An idempotent producer with exactly one send in flight. kafkajs rolls its sequence back on any error, so two sends in flight
 * can lose an acknowledged batch and double another (platform reference, P1); and after an unknown outcome the producer is thrown away.
 */
export interface OrderedProducer extends AsyncDisposable {
  /** All batches in one request per broker, acks=all. Throws UnknownOutcomeError (send again; consumers know the repeats) or ProduceRefusedError. */
  send(batches: readonly ProduceBatch[]): Promise<Produced[]>
  close(): Promise<void>
}

/** The batches may or may not be on the log. */
export class UnknownOutcomeError extends HubError {
  override readonly name = 'UnknownOutcomeError'
  constructor(cause: unknown) {
    super('PRODUCE_UNKNOWN_OUTCOME', `the broker did not confirm: ${messageOf(cause)}`, { retriable: true, cause })
  }
}

/** The broker refused the batches; none of this topic's is on the log. Sending the same again is refused again. */
export class ProduceRefusedError extends HubError {
  override readonly name = 'ProduceRefusedError'
  constructor(cause: unknown, type: string) {
    super(`PRODUCE_REFUSED_${type}`, `the broker refused: ${messageOf(cause)}`, { cause })
  }
}

const REFUSALS = new Set([
  'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'POLICY_VIOLATION',
])

export function createProducer(client: () => KafkaJs, log: Log, deadlineMs = 30_000): OrderedProducer {
  let current: Promise<Producer> | undefined
  let tail: Promise<unknown> = Promise.resolve()
  let closed = false

  async function connected(): Promise<Producer> {
    current ??= (async () => {
      const producer = client().producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: { initialRetryTime: 50, maxRetryTime: 1_000, retries: 8 },
      })
      await producer.connect()
      return producer
    })()
    return current.catch((error: unknown) => {
      current = undefined
      throw error
    })
  }

  function discard(): void {
    const gone = current
    current = undefined
    void gone?.then((producer) => producer.disconnect()).catch(() => {})
  }

  async function sendNow(batches: readonly ProduceBatch[]): Promise<Produced[]> {
    const topics = new Map<string, { key: string | Buffer; value: Buffer; partition: number; headers?: Record<string, string | Buffer> }[]>()
    for (const { topic, partition, messages } of batches) {
      let list = topics.get(topic)
      if (list === undefined) topics.set(topic, (list = []))
      for (const message of messages) list.push({ ...message, partition })
    }
    let timer: NodeJS.Timeout | undefined
    let late = false
    try {
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          late = true
          reject(new Error(`no answer within ${deadlineMs} ms`))
        }, deadlineMs)
      })
      const sent = connected().then((producer) => {
        if (late) throw new Error('connected too late')
        return producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages: [...topics].map(([topic, messages]) => ({ topic, messages })) })
      })
      const results = await Promise.race([sent, timeout])
      return results.map((result) => ({ topic: result.topicName, partition: result.partition, baseOffset: BigInt(result.baseOffset ?? '-1') }))
    } catch (error) {
      discard()
      const type = brokerErrorType(error)
      if (type !== undefined && REFUSALS.has(type)) throw new ProduceRefusedError(error, type)
      log.debug({ err: error }, 'produce outcome unknown, producer discarded')
      throw new UnknownOutcomeError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  async function close(): Promise<void> {
    closed = true
    await tail.catch(() => {})
    const last = current
    current = undefined
    await last?.then((producer) => producer.disconnect()).catch(() => {})
  }

  return {
    send(batches) {
      if (closed) return Promise.reject(new HubError('PRODUCER_CLOSED', 'the producer is closed'))
      const result = tail.then(() => sendNow(batches))
      tail = result.catch(() => {})
      return result
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
