import type { OrderedProducer, Produced, ProduceBatch } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { judge } from '@hub/relay/genesis'
import type { RelayMetrics } from '@hub/relay/metrics'
import { ownPartition, setAside, type OwnPartition } from '@hub/relay/partition'
import { createSender, type Sender } from '@hub/relay/sender'
import { append } from '@hub/relay/sent-log'
import { followsOn, shareOf, type Share } from '@hub/relay/shares'
import { beyond, type SentRun } from '@hub/relay/store'
import type { Origin } from './origin.ts'

export type Send = (batches: readonly ProduceBatch[]) => Produced[]

const nothing = { inc() {}, observe() {} }
const METRICS = { sends: nothing, events: nothing, unknown: nothing, refused: nothing, produceSeconds: nothing } as unknown as RelayMetrics
const LOG = { warn() {}, error() {}, info() {} } as unknown as Log
const RUNNING = new AbortController().signal

/** One relay of a region: the product's sender and its reading ahead, one step at a time. Two of them at once are a zombie and its successor. */
export class RelayProcess {
  readonly #origin: Origin
  readonly #sender: Sender
  readonly #generationOf: (partition: number) => string
  #partitions: OwnPartition[]
  #ahead: Share[] | undefined
  #runs: SentRun[] = []
  #send: Send = () => []

  constructor(origin: Origin, generationOf: (partition: number) => string) {
    this.#origin = origin
    this.#generationOf = generationOf
    this.#partitions = origin.positions.map(ownPartition)
    const producer: OrderedProducer = { send: async (batches) => this.#send(batches), close: async () => {}, [Symbol.asyncDispose]: async () => {} }
    this.#sender = createSender({
      producer, sent: { note: (run) => append(this.#runs, run), flush: async () => {}, run: async () => {} }, region: origin.region, metrics: METRICS, log: LOG, onDoubt() {},
    })
  }

  /** Reads what waits, or takes what it read ahead, and sends it; false when there was nothing to send. */
  async step(limit: number, now: number, send: Send): Promise<boolean> {
    const usable = this.#partitions.filter((one) => judge({ generation: this.#generationOf(one.partition) }, one).usable)
    const shares = (this.#ahead ?? this.#read(usable, new Map(), limit, now)).filter((share) => usable.includes(share.partition) && followsOn(share))
    this.#ahead = undefined
    if (shares.length === 0) return false
    if (shares.some(({ more }) => more)) this.#ahead = this.#read(usable, new Map(shares.map(({ partition, last }) => [partition, last])), limit, now)
    this.#send = send
    if (!await this.#sender.send(shares, RUNNING)) this.#ahead = undefined
    return true
  }

  /** Writes the positions of what was acknowledged. */
  flush(): void {
    const runs = this.#runs
    this.#runs = []
    const { positions } = this.#origin
    for (const run of beyond(runs, new Map(positions.map((one) => [`${one.topic}/${one.partition}`, one.lastSequence])))) {
      const row = positions[run.partition]!
      const lastOffset = run.firstOffset + run.last - run.first
      positions[run.partition] = { ...row, lastSequence: run.last, lastOffset: lastOffset > row.lastOffset ? lastOffset : row.lastOffset }
    }
  }

  /** Dies and starts again from the stored positions. */
  restart(): void {
    this.#partitions = this.#origin.positions.map(ownPartition)
    this.#ahead = undefined
    this.#runs = []
  }

  #read(usable: readonly OwnPartition[], sent: ReadonlyMap<OwnPartition, bigint>, limit: number, now: number): Share[] {
    return usable.flatMap((partition) => {
      const after = sent.get(partition) ?? partition.acked
      const waiting = this.#origin.waiting(partition.partition, after, limit, now)
      if (waiting === undefined) return []
      const share = shareOf(waiting, partition, after, now)
      if ('rows' in share) return [share]
      setAside(partition, { code: 'sequence-gap', text: `${share.missing}` }, now)
      return []
    })
  }
}
