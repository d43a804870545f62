import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import type { Topic } from '@hub/schemas/streams'
import type { Feed } from './feed.ts'
import type { LogState } from './log-watch.ts'
import type { Queue } from './queue.ts'
import { createSlot, type Slot, type Stop, type Stored } from './slot.ts'
import { beginPosition, notePaused } from './store/positions.ts'
import { readShadowing } from './store/shadowed.ts'
import { keyOf, type TopicPartition } from './topic-partition.ts'

/** A partition refused by the database is tried again after this time: somebody may have mended something. */
const REFUSED_AGAIN_MS = 60_000

/** Why a partition stands still that is being cleared. */
export const REBUILDING: Stop = { code: 'rebuilding', text: '正在重建，完成后自动继续 · being rebuilt; goes on by itself' }

/** Which partitions this process takes from, where each stands, and why the others stand still. */
export interface Partitions {
  /** The partition if it is taken from now. */
  running(topic: string, partition: number): Slot | undefined
  /** False for a slot whose place another one has taken: what was consumed for it is worth nothing. */
  holds(slot: Slot): boolean
  readonly slots: Iterable<Slot>
  /** Why partitions stand still, by `topic/partition`. */
  readonly stopped: ReadonlyMap<string, Stop>
  /** Takes nothing more from a partition; what waits in the queue is still applied. */
  stop(slot: Slot, stop: Stop): void
  /** Takes from it again where it stopped. */
  resume(slot: Slot): void
  /** Stops a partition and forgets what was consumed of it: it begins anew at its stored position. */
  expel(slot: Slot, stop: Stop): void
  /** Forgets everything consumed: positions must be read again before anything is applied. */
  dropAll(): void
  /** Counts the calls of `dropAll`: what was read in another era is outdated. */
  readonly era: number
  /**
   * Sets going every assigned partition whose log is the one it was begun with; stops those where it is not. Positions must have been read before the
   * logs, and both in this era: a position lies outside its log only when it really does.
   */
  reconcile(stored: readonly Stored[], logs: ReadonlyMap<string, LogState>, options: { era: number; rejoined: boolean }): Promise<void>
}

export function createPartitions(options: { db: Db; queue: Queue; topics: readonly Topic[]; region: string; feed(): Feed; log: Log }): Partitions {
  const { db, queue, log } = options
  const topics = new Map(options.topics.map((topic) => [topic.topic, topic]))
  const slots = new Map<string, Slot>()
  const stopped = new Map<string, Stop>()
  const refusedAt = new Map<string, number>()
  let noting: Promise<void> = Promise.resolve()
  let era = 0

  const partitions: Partitions = {
    running(topic, partition) {
      const slot = slots.get(keyOf({ topic, partition }))
      return slot?.stopped === undefined ? slot : undefined
    },
    holds: (slot) => slots.get(keyOf(slot)) === slot,
    get slots() {
      return slots.values()
    },
    stopped,
    stop(slot, stop) {
      slot.stopped = stop
      options.feed().pause([slot])
      note(slot, stop)
    },
    resume(slot) {
      slot.stopped = undefined
      note(slot, undefined)
      options.feed().resumeAt([{ topic: slot.topic, partition: slot.partition, offset: BigInt(slot.cursor) }])
    },
    expel(slot, stop) {
      queue.drop(slot)
      slots.delete(keyOf(slot))
      if (stop.code === 'database-refused') refusedAt.set(keyOf(slot), performance.now())
      partitions.stop(slot, stop)
    },
    dropAll() {
      era++
      options.feed().pause([...slots.values()])
      slots.clear()
      stopped.clear()
      queue.clear()
    },
    get era() {
      return era
    },
    async reconcile(stored, logs, { era: read, rejoined }) {
      if (read !== era) return
      const assigned = options.feed().assigned.filter(({ topic }) => topics.has(topic))
      for (const slot of [...slots.values()]) {
        const log = logs.get(keyOf(slot))
        // It may have gone past the end that was read some time ago; a log that was made anew has another generation.
        const wrong = judge(log, { generation: slot.generation, next: Math.min(slot.next, log?.high ?? 0) })
        if (wrong !== undefined) partitions.expel(slot, wrong)
      }
      const going = rejoined ? assigned.flatMap((one) => partitions.running(one.topic, one.partition) ?? []) : []
      const waiting = assigned.filter((one) => !slots.has(keyOf(one)) && !tooSoon(one))
      if (waiting.length > 0) {
        const started = await begin(waiting, stored, logs)
        if (read !== era) return
        for (const slot of started) slots.set(keyOf(slot), slot)
        going.push(...started)
      }
      options.feed().resumeAt(going.map(({ topic, partition, cursor }) => ({ topic, partition, offset: BigInt(cursor) })))
    },
  }
  return partitions

  function tooSoon(one: TopicPartition): boolean {
    return stopped.get(keyOf(one))?.code === 'database-refused' && performance.now() - (refusedAt.get(keyOf(one)) ?? -Infinity) < REFUSED_AGAIN_MS
  }

  async function begin(waiting: readonly TopicPartition[], stored: readonly Stored[], logs: ReadonlyMap<string, LogState>): Promise<Slot[]> {
    const positions = new Map(stored.map((position) => [keyOf(position), position]))
    const shadowing = await readShadowing(db)
    const started: Slot[] = []
    for (const one of waiting) {
      const key = keyOf(one)
      const log = logs.get(key)
      const position = positions.get(key)
      const wrong = position?.clearing === true ? REBUILDING : judge(log, position)
      if (wrong !== undefined || position?.pausedReason || stopped.has(key)) note(one, wrong)
      if (wrong !== undefined || log?.generation === undefined) continue
      const { region, stream, technical } = topics.get(one.topic)!
      const identity = { topic: one.topic, partition: one.partition, region, stream, technical, own: region === options.region }
      if (position === undefined) await beginPosition(db, identity, log.generation, log.low)
      const begun = position ?? { ...one, generation: log.generation, next: log.low, lastSequence: -1, parkedOpen: 0, completeFrom: 0, pausedReason: null, clearing: false }
      started.push(createSlot(identity, begun, shadowing.has(key)))
    }
    return started
  }

  /** Says why a partition stands still: aloud when that is new, and in its row as long as it lasts. */
  function note(one: TopicPartition, stop: Stop | undefined): void {
    const key = keyOf(one)
    if (stop === undefined) {
      if (stopped.delete(key)) log.info({ topic: one.topic, partition: one.partition }, 'partition is taken from again')
    } else {
      if (stopped.get(key)?.code !== stop.code) {
        const alarm = stop.code === 'no-genesis' || stop.code === 'registry-silent' || stop.code === 'rebuilding' ? 'warn' : 'error'
        log[alarm]({ topic: one.topic, partition: one.partition, code: stop.code, reason: stop.text }, 'partition stopped')
      }
      stopped.set(key, stop)
    }
    const reason = stop === undefined ? null : `${stop.code}: ${stop.text}`
    noting = noting.then(() => notePaused(db, one, reason)).catch((error: unknown) => log.warn({ err: error }, 'cannot note why a partition is paused'))
  }
}

/** What is wrong with a log for the position that is kept of it; nothing is ever reset. */
function judge(state: LogState | undefined, stored: Pick<Stored, 'generation' | 'next'> | undefined): Stop | undefined {
  if (state?.generation === undefined) {
    return { code: 'no-genesis', text: '日志不以 genesis 记录开头，请运行 hub topics apply · the log does not begin with its genesis record: run "hub topics apply"' }
  }
  if (stored === undefined) return undefined
  if (stored.generation !== state.generation) {
    return { code: 'other-generation', text: `主题已重建（原 ${stored.generation}，现 ${state.generation}） · the topic was created anew (was ${stored.generation}, is ${state.generation}): hub rebuild` }
  }
  if (stored.next < state.low || stored.next > state.high) {
    return { code: 'offset-outside-log', text: `位置 ${stored.next} 不在日志 ${state.low}–${state.high} 之内 · position ${stored.next} lies outside the log, ${state.low} to ${state.high}` }
  }
  return undefined
}
