import { UnknownOutcomeError, type ProduceBatch } from '@hub/runtime/kafka'
import type { Outcome } from '@hub/gateway/publish/publish-batch'
import type { Region } from '@hub/schemas/streams'
import { Broker } from './broker.ts'
import { encodeGenesis, eventOf, PARTITIONS, type Wish } from './events.ts'
import { MemoryReplica, type Place } from './memory-replica.ts'
import { Origin, type Publishing } from './origin.ts'
import { RelayProcess, type Send } from './relay-process.ts'
import { type Fate, ReplicaProcess } from './replica-process.ts'

/** What one step does; two numbers say to whom and how. Small numbers stand for what is ordinary, so that shrinking leaves little. */
export const ACTIONS = ['publish', 'commit', 'beat', 'relay', 'flush', 'trim', 'fetch', 'apply', 'republish', 'wait', ...faults()] as const
export type What = (typeof ACTIONS)[number]
export type Action = readonly [what: What, n: number, m: number]

/** What may go wrong. A run has some of them (swarm testing). */
export type Fault = ReturnType<typeof faults>[number]
export function faults() {
  return ['answer lost', 'produce lost', 'produce late', 'arrive', 'relay dies', 'relay 2', 'replica dies', 'take over', 'stall', 'compact', 'poison', 'drop', 'dig'] as const
}

/** What a publisher was told of one version of a record. */
export interface Told {
  readonly topic: string
  readonly recordId: string
  readonly version: number
  readonly eventId: string
  outcome: 'ok' | 'info'
}

const ORIGINS: readonly Region[] = ['sh', 'js']
const REPLICAS: readonly Region[] = ['sh', 'js', 'ah']

/** Two origins and three replicas over one log, all in memory, driven one action at a time. */
export class World {
  readonly broker = new Broker()
  readonly origins = ORIGINS.map((region) => new Origin(region))
  readonly relays: RelayProcess[][]
  readonly places: Place[]
  readonly replicas = REPLICAS.map((region) => new MemoryReplica(region))
  /** Two of each replica. */
  readonly processes: ReplicaProcess[][]
  /** By `topic recordId version`. */
  readonly told = new Map<string, Told>()
  /** Sequences that the broker acknowledged and lost, by `topic/partition`. */
  readonly lost = new Map<string, bigint>()
  /** Records published again because they were shadowed. */
  republished = 0
  now = 0
  #publishing: { origin: Origin; publishing: Publishing }[] = []
  #ids = 0
  readonly #faults: ReadonlySet<Fault>

  constructor(faultsOn: readonly Fault[]) {
    this.#faults = new Set(faultsOn)
    this.places = this.origins.flatMap(({ region, topic }) => Array.from({ length: PARTITIONS }, (_, partition): Place => ({ topic, partition, region, stream: 'complaint' })))
    for (const { topic, partition } of this.places) this.broker.create(topic, partition, `generation of ${topic}/${partition}`, encodeGenesis())
    this.relays = this.origins.map((origin) => [0, 1].map(() => new RelayProcess(origin, (partition) => this.broker.log(origin.topic, partition).generation)))
    this.processes = this.replicas.map((store) => [0, 1].map(() => new ReplicaProcess(store, this.broker, this.places)))
    for (const [first] of this.processes) first!.takeOver()
  }

  /** Whether faults of this kind happen in this run. */
  has(fault: Fault): boolean {
    return this.#faults.has(fault)
  }

  async act([what, n, m]: Action): Promise<void> {
    if ((faults() as readonly string[]).includes(what) && !this.has(what as Fault)) return
    const origin = pick(this.origins, n)
    const relay = this.relays[n % this.origins.length]![this.has('relay 2') ? (n >> 1) % 2 : 0]!
    const processes = pick(this.processes, n)
    const leader = processes.find(({ leading }) => leading)
    switch (what) {
      case 'publish': {
        const wishes = Array.from({ length: 1 + (m % 3) }, (_, i) => this.#wish(n + i * 7, m + i * 5))
        const publishing = origin.begin(wishes.map((wish) => eventOf(origin.topic, wish)))
        if (publishing !== undefined) this.#publishing.push({ origin, publishing })
        return
      }
      case 'commit': return this.#commit(n, this.has('answer lost') ? m % 6 : 0)
      case 'beat':
        origin.beat(10, this.now)
        return
      case 'relay': {
        await relay.step(1 + (m % 4), this.now, this.#send(this.#produceFate(m >> 2)))
        return
      }
      case 'relay 2': return
      case 'flush': return relay.flush()
      case 'trim': return origin.trim()
      case 'relay dies': return relay.restart()
      case 'arrive': {
        const [request] = this.broker.late.splice(n % Math.max(1, this.broker.late.length), 1)
        if (request !== undefined) this.broker.append(request.batches, this.now - request.sentAt)
        return
      }
      case 'fetch':
        for (const process of processes) process.fetch(m, 1 + ((n >> 2) % 5), this.now)
        return
      case 'apply': return this.#apply(pick(processes, m), 1 + (n % 7), this.has('replica dies') ? FATES[m % FATES.length]! : 'commits')
      case 'stall': return pick(processes, m).stall(1 + (n % 5))
      case 'replica dies': return pick(processes, m).crash()
      case 'take over':
        // One that stands still does not know that its time is up.
        return pick(processes, m).takeOver()
      case 'republish':
        this.republished += origin.republish(this.replicas.find(({ region }) => region === origin.region)!, this.now)
        return
      case 'compact': {
        // A day goes by at the origin: what is shadowed has been published again.
        const { topic, partition } = pick(this.places, n)
        await this.#rest(this.origins.find((one) => one.topic === topic)!, 'faulty')
        const log = this.broker.log(topic, partition)
        return this.broker.compact(log, log.end - (m % 4))
      }
      case 'poison':
        return origin.poison(this.#wish(n, m), this.now)
      case 'drop': {
        // The next message of this partition is acknowledged and never written.
        const { topic, partition } = pick(this.places, n)
        if (this.lost.size === 0) this.#dropping = `${topic}/${partition}`
        return
      }
      case 'dig': return origin.dig(m % PARTITIONS)
      case 'wait':
        this.now += 1 + (m % 50)
        if (leader === undefined) pick(processes, m).takeOver()
        return
    }
  }

  /** No more faults: everything under way ends, everything published arrives, everything shadowed is published again. */
  async heal(): Promise<void> {
    this.#faultless = true
    this.#dropping = undefined
    for (const request of this.broker.late.splice(0)) this.broker.append(request.batches, this.now - request.sentAt)
    while (this.#publishing.length > 0) this.#commit(0, 0)
    for (const process of this.processes) if (!process.some(({ leading }) => leading)) process[0]!.takeOver()
    for (const origin of this.origins) await this.#rest(origin, 'faultless')
    for (const processes of this.processes) this.#catchUp(processes)
  }

  /** Brings an origin and its replica to rest: everything published is on its log and applied there, and nothing is shadowed. */
  async #rest(origin: Origin, faults: 'faulty' | 'faultless'): Promise<void> {
    const i = this.origins.indexOf(origin)
    const relay = this.relays[i]![0]!
    const own = this.replicas.findIndex(({ region }) => region === origin.region)
    for (let round = 0; ; round++) {
      if (round === 100) throw new Error(`${origin.region} does not come to rest`)
      this.now += 10
      // Positions may be those of another relay.
      relay.restart()
      while (await relay.step(50, this.now, this.#send('answered'))) relay.flush()
      relay.flush()
      if (faults === 'faultless') origin.trim()
      this.#catchUp(this.processes[own]!)
      const again = origin.republish(this.replicas[own]!, this.now)
      this.republished += again
      if (again === 0) return
    }
  }

  /** Applies everything on the log. A process that was fenced has a successor. */
  #catchUp(processes: readonly ReplicaProcess[]): void {
    for (let round = 0; ; round++) {
      if (round === 1000) throw new Error('a replica does not come to rest')
      const leader = processes.find(({ leading }) => leading)
      if (leader === undefined) {
        processes[0]!.takeOver()
        continue
      }
      for (const [i] of this.places.entries()) leader.fetch(i, 1_000, this.now)
      this.#apply(leader, 3_000, 'commits')
      if (leader.leading && leader.idle()) return
    }
  }

  /** One more replica, begun only now, from whatever the log still has. */
  async lateReplica(): Promise<MemoryReplica> {
    const store = new MemoryReplica('zj')
    const process = new ReplicaProcess(store, this.broker, this.places)
    process.takeOver()
    for (let round = 0; !process.idle() || round === 0; round++) {
      if (round === 1000) throw new Error('a late replica does not come to rest')
      for (const [i] of this.places.entries()) process.fetch(i, 1_000, this.now)
      this.#apply(process, 3_000, 'commits')
    }
    return store
  }

  #dropping: string | undefined
  #faultless = false
  /** Called after every committed transaction. */
  onApplied: (process: ReplicaProcess) => void = () => {}

  #apply(process: ReplicaProcess, max: number, fate: Fate): void {
    if (process.apply(max, fate).length === 0) return
    this.onApplied(process)
    this.#settle(process.store)
  }

  /** The lag of compaction (24 h) is far longer than it takes to publish a shadowed record again: until then nothing of it may be cleaned. */
  #settle(store: MemoryReplica): void {
    for (const { topic, partition, region, next } of store.positions.values()) {
      const log = this.broker.log(topic, partition)
      if (region === store.region && next === log.end && !store.isShadowing({ topic, partition })) log.settled = next
    }
  }

  #commit(n: number, fate: number): void {
    if (this.#publishing.length === 0) return
    const [{ origin, publishing }] = this.#publishing.splice(n % this.#publishing.length, 1) as [{ origin: Origin; publishing: Publishing }]
    // Dies before its COMMIT arrives: the publisher gets no answer, and nothing happened.
    if (fate === 3) return origin.rollBack(publishing)
    origin.commit(publishing, this.now)
    if (fate === 4) {
      // Dies before it answers: the publisher may have published, or not.
      for (const outcome of publishing.outcomes) this.#tell(origin, publishing, outcome, 'info')
      return
    }
    if (fate === 5) {
      // The answer of the COMMIT is lost: the gateway tries the same events again.
      const again = origin.begin(publishing.events)
      if (again === undefined) throw new Error('the heads are locked by nobody')
      if (again.rows.length > 0) throw new Error('a repeated attempt does not know its own rows')
      origin.commit(again, this.now)
      for (const outcome of again.outcomes) this.#tell(origin, again, outcome, 'ok')
      return
    }
    for (const outcome of publishing.outcomes) this.#tell(origin, publishing, outcome, 'ok')
  }

  #tell(origin: Origin, { events, outcomes }: Publishing, outcome: Outcome, answer: Told['outcome']): void {
    if (outcome.verdict !== 'accepted' && outcome.verdict !== 'new-version') return
    const { recordId } = events[outcomes.indexOf(outcome)]!
    const id = `${origin.topic} ${recordId} ${outcome.version}`
    const known = this.told.get(id)
    if (known !== undefined && known.eventId !== outcome.eventId) throw new Error(`${id} was given to two events`)
    if (known?.outcome !== 'ok') this.told.set(id, { topic: origin.topic, recordId, version: outcome.version, eventId: outcome.eventId!, outcome: answer })
  }

  #produceFate(m: number): ProduceFate {
    const fate = PRODUCE_FATES[m % PRODUCE_FATES.length]!
    return fate === 'answered' || this.has(fate === 'late' ? 'produce late' : 'produce lost') ? fate : 'answered'
  }

  #send(fate: ProduceFate): Send {
    return (batches: readonly ProduceBatch[]) => {
      const lose = (topic: string, partition: number, index: number): boolean => {
        if (this.#dropping !== `${topic}/${partition}`) return false
        this.lost.set(this.#dropping, BigInt(String(batches.find((one) => one.topic === topic && one.partition === partition)!.messages[index]!.headers!['sequence'])))
        this.#dropping = undefined
        return true
      }
      if (fate === 'late') this.broker.late.push({ batches, sentAt: this.now })
      const produced = fate === 'answered' || fate === 'answer lost' ? this.broker.append(batches, 0, this.#faultless ? undefined : lose) : []
      if (fate !== 'answered') throw new UnknownOutcomeError(new Error(fate))
      return produced
    }
  }

  #wish(n: number, m: number): Wish {
    return { id: `e${this.#ids++}`, record: n >> 1, version: m >> 1, body: m, kind: m >> 3 }
  }
}

type ProduceFate = 'answered' | 'answer lost' | 'never arrives' | 'late'
const PRODUCE_FATES: readonly ProduceFate[] = ['answered', 'answered', 'answer lost', 'answered', 'late', 'answered', 'never arrives', 'late']
const FATES: readonly Fate[] = ['commits', 'commits', 'commits', 'answer lost', 'commits', 'crashes before', 'commits', 'crashes after']

function pick<T>(list: readonly T[], n: number): T {
  return list[n % list.length]!
}
