import { failpoint } from '@hub/runtime/failpoint'
import { ProduceRefusedError, type OrderedProducer, type Produced } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { HEARTBEAT } from './heartbeats.ts'
import { toMessage } from './message.ts'
import type { RelayMetrics } from './metrics.ts'
import { keyOf, setAside } from './partition.ts'
import type { SentLog } from './sent-log.ts'
import { firstHalf, type Share } from './shares.ts'
import { withGrace } from './tasks.ts'

/** How long a request in flight is waited for when the relay stops. */
const STOP_GRACE_MS = 3_000

export interface Sender {
  /** Sends shares of different partitions; false = the outcome of some is unknown. What is not acknowledged afterwards must be read and sent again. */
  send(shares: readonly Share[], signal: AbortSignal): Promise<boolean>
  /** Why the broker did not take the last request, if it did not. */
  fault(): string | undefined
}

/** Points of a request where tests stop, delay or fail it: `encoded` before the request goes out, `acknowledged` before the answer is looked at. */
export type Failpoint = (point: 'encoded' | 'acknowledged') => void | Promise<void>

export interface SenderOptions {
  readonly producer: OrderedProducer
  readonly sent: SentLog
  readonly region: string
  readonly metrics: RelayMetrics
  readonly log: Log
  /** Called when the log may not be what it was. */
  onDoubt(): void
  readonly failpoint?: Failpoint | undefined
}

export function createSender({ producer, sent, region, metrics, log, onDoubt, failpoint: tested }: SenderOptions): Sender {
  let fault: string | undefined

  async function request(shares: readonly Share[]): Promise<Produced[]> {
    const now = performance.now()
    const batches = shares.map(({ partition: { topic, partition, acked, lastOffset }, rows, readAt }) => {
      const logStart = lastOffset < 0n && acked >= 0n ? acked + 1n : undefined
      return { topic, partition, messages: rows.map((row) => toMessage(row, { topic, partition, region }, { delayMs: row.type === HEARTBEAT ? (row.ageMs ?? 0) + (now - readAt) : undefined, logStart })) }
    })
    await tested?.('encoded')
    failpoint('relay.encoded')
    const startedAt = performance.now()
    const produced = await producer.send(batches)
    metrics.produceSeconds.observe((performance.now() - startedAt) / 1000)
    await tested?.('acknowledged')
    failpoint('relay.acknowledged')
    return produced
  }

  /**
   * One request; where it is refused, one per partition, and less of a partition at a time: the answer names neither the partition nor the
   * event, and what stands before the refused one belongs on the log.
   */
  async function attempt(shares: readonly Share[], signal: AbortSignal): Promise<boolean> {
    try {
      const produced = await withGrace(request(shares), signal, STOP_GRACE_MS)
      if (produced === undefined) {
        metrics.unknown.inc()
        return false
      }
      acknowledge(shares, produced)
      fault = undefined
      return true
    } catch (error) {
      if (!(error instanceof ProduceRefusedError)) return unknown(error)
      if (shares.length > 1) return await oneByOne(shares, signal)
      const share = shares[0]!
      if (share.rows.length > 1) return await attempt([firstHalf(share)], signal)
      refused(share, error)
      return true
    }
  }

  async function oneByOne(shares: readonly Share[], signal: AbortSignal): Promise<boolean> {
    let known = true
    for (const share of shares) known = known && await attempt([share], signal)
    return known
  }

  function unknown(error: unknown): boolean {
    if (fault === undefined) log.warn({ err: error }, 'the broker did not confirm, the events are sent again')
    fault = error instanceof Error ? error.message : String(error)
    metrics.unknown.inc()
    onDoubt()
    return false
  }

  function refused({ partition, first }: Share, error: ProduceRefusedError): void {
    metrics.refused.inc({ topic: partition.topic })
    setAside(partition, {
      code: 'refused',
      text: `代理拒绝序号 ${first} · the broker refuses sequence ${first} (${error.code.replace('PRODUCE_REFUSED_', '')}); see the rights and settings of the topic`,
    }, performance.now())
  }

  function acknowledge(shares: readonly Share[], produced: readonly Produced[]): void {
    const offsets = new Map(produced.map((one) => [keyOf(one), one.baseOffset]))
    metrics.sends.inc()
    for (const { partition, first, last, rows } of shares) {
      const firstOffset = offsets.get(keyOf(partition)) ?? -1n
      if (firstOffset <= partition.lastOffset) {
        setAside(partition, {
          code: 'log-went-back',
          text: `代理给出的位移 ${firstOffset} 不高于已用的 ${partition.lastOffset}：主题可能已重建 · the broker answered offset ${firstOffset}, not above ${partition.lastOffset}: the topic may have been created anew`,
        }, performance.now())
        onDoubt()
        continue
      }
      partition.acked = last
      partition.lastOffset = firstOffset + (last - first)
      partition.fault = undefined
      sent.note({ topic: partition.topic, partition: partition.partition, first, last, firstOffset })
      metrics.events.inc({ topic: partition.topic }, rows.length)
    }
  }

  return {
    fault: () => fault,
    async send(shares, signal) {
      // A partition that failed is tried apart: refused again, it would cost the others a repeat on the log.
      const sound = shares.filter(({ partition }) => partition.fault === undefined)
      const suspects = shares.filter(({ partition }) => partition.fault !== undefined)
      if (sound.length > 0 && !await attempt(sound, signal)) return false
      return await oneByOne(suspects, signal)
    },
  }
}
