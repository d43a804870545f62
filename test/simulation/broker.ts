import type { ProduceBatch } from '@hub/runtime/kafka'

/** One event on the log. */
export interface Entry {
  readonly offset: number
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

export interface LogPartition {
  readonly topic: string
  readonly partition: number
  readonly generation: string
  /** In offset order; compaction leaves holes. */
  entries: Entry[]
  end: number
  /** Where compaction may reach: below it the newest event of every key is the one that counts. */
  settled: number
  /** The highest sequence on it and where that came first: within the lag of compaction there is always such an event, if only a heartbeat. */
  newest: { sequence: number; offset: number }
  /** Longest simulated time from encoding a request to its arrival. */
  slowestMs: number
}

/** The log in memory. What a request does is for the caller to say; requests that come late wait in `late`. */
export class Broker {
  readonly logs = new Map<string, LogPartition>()
  readonly late: { readonly batches: readonly ProduceBatch[]; readonly sentAt: number }[] = []

  create(topic: string, partition: number, generation: string, genesis: Buffer): void {
    this.logs.set(`${topic}/${partition}`, { topic, partition, generation, entries: [{ offset: 0, key: 'genesis', value: genesis, headers: {} }], end: 1, settled: 1, newest: { sequence: -1, offset: 1 }, slowestMs: 0 })
  }

  log(topic: string, partition: number): LogPartition {
    return this.logs.get(`${topic}/${partition}`)!
  }

  /** Appends as one request; `lose` says which of its messages never gets to the log although it is acknowledged. */
  append(batches: readonly ProduceBatch[], flightMs: number, lose: (topic: string, partition: number, index: number) => boolean = () => false): { topic: string; partition: number; baseOffset: bigint }[] {
    return batches.map(({ topic, partition, messages }) => {
      const log = this.log(topic, partition)
      const baseOffset = BigInt(log.end)
      log.slowestMs = Math.max(log.slowestMs, flightMs)
      for (const [i, { key, value, headers = {} }] of messages.entries()) {
        if (lose(topic, partition, i)) continue
        const sequence = Number(headers['sequence'])
        if (sequence > log.newest.sequence) log.newest = { sequence, offset: log.end }
        log.entries.push({ offset: log.end++, key: String(key), value: value as Buffer, headers: headers as Record<string, string> })
      }
      return { topic, partition, baseOffset }
    })
  }

  /** Keeps the last event of every key below `wanted`, as a cleaner that saw no more of the log, and stays within what has settled. */
  compact(log: LogPartition, wanted: number): void {
    const below = Math.min(wanted, log.settled, log.newest.offset)
    const last = new Map<string, number>()
    for (const { key, offset } of log.entries) if (offset < below) last.set(key, offset)
    log.entries = log.entries.filter(({ key, offset }) => offset >= below || last.get(key) === offset)
  }
}
