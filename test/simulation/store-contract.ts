import fc from 'fast-check'
import type { Item } from '@hub/schemas/log-item'
import { endsShare } from '@hub/schemas/log-item'
import { parkedHash } from '@hub/schemas/park'
import type { Part } from '@hub/replicator/queue'
import { createSlot, type Slot, type Stored } from '@hub/replicator/slot'
import { FencedError } from '@hub/replicator/store/lease'
import type { Move } from '@hub/replicator/store/positions'
import { contractFor } from '@hub/schemas/contracts'
import { isEnding, recordHash } from '@hub/schemas/record-rule'
import { sampleRecord } from '@hub/schemas/samples'
import type { DataStream } from '@hub/schemas/streams'
import { columnValues } from '@hub/schemas/tables'
import { MemoryReplica, type Place } from './memory-replica.ts'

/** What an applier asks of its store; the replica's region is `sh`. */
export interface Store {
  /** Gives the lease to somebody else at once. */
  acquire(): Promise<bigint>
  begin(place: Place, generation: string): Promise<void>
  load(): Promise<Stored[]>
  isShadowing(place: Pick<Place, 'topic' | 'partition'>): Promise<boolean>
  /** One transaction that is committed, or given up right before. @throws FencedError and changes nothing. */
  transact(epoch: bigint, parts: readonly Part[], end: 'commit' | 'roll back'): Promise<Move[]>
  /** Everything it holds that does not depend on a clock, in one order, as text. */
  state(): Promise<string[]>
}

/** Own and foreign topics, several partitions, streams with and without a subject. */
export const PLACES: readonly Place[] = [
  { topic: 'sh.complaint', partition: 0, region: 'sh', stream: 'complaint' },
  { topic: 'sh.complaint', partition: 1, region: 'sh', stream: 'complaint' },
  { topic: 'js.complaint', partition: 0, region: 'js', stream: 'complaint' },
  { topic: 'sh.tally', partition: 0, region: 'sh', stream: 'tally' },
]

/** One event of a log: what it is, of which key, in which version and body, and how many offsets are missing before it. */
export type Event = readonly [what: 'record' | 'ending' | 'parked' | 'heartbeat', key: number, version: number, body: number, gap: number]

/** One act of one of two processes. `outdated` decides on positions of before its latest transaction. */
export type Act =
  | { readonly what: 'take over'; readonly who: number }
  | { readonly what: 'apply' | 'roll back' | 'outdated'; readonly who: number; readonly counts: readonly number[] }

export interface History {
  readonly logs: readonly (readonly Event[])[]
  readonly acts: readonly Act[]
}

const event: fc.Arbitrary<Event> = fc.tuple(
  fc.constantFrom<Event[0][]>('record', 'record', 'record', 'record', 'ending', 'parked', 'heartbeat'), fc.nat(2), fc.integer({ min: 1, max: 5 }), fc.nat(1),
  fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) }),
)
const who = fc.nat(1)
const counts = fc.tuple(...PLACES.map(() => fc.nat(6)))
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ what: fc.constant('apply' as const), who, counts }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('roll back' as const, 'outdated' as const), who, counts }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('take over' as const), who }) },
)
export const history: fc.Arbitrary<History> = fc.record({ logs: fc.tuple(...PLACES.map(() => fc.array(event, { maxLength: 30, size: 'max' }))), acts: fc.array(act, { minLength: 5, maxLength: 25, size: 'max' }) })

/** Plays a history on a store. @returns what became of each act, and the state after each that changed something or should not have. */
export async function play(store: Store, { logs, acts }: History): Promise<string[]> {
  const items = logs.map((events, i) => place(events, PLACES[i]!))
  const processes: { epoch: bigint | undefined; slots: Slot[]; before: Slot[] }[] = [{ epoch: undefined, slots: [], before: [] }, { epoch: undefined, slots: [], before: [] }]
  const told: string[] = []
  for (const one of PLACES) await store.begin(one, 'g')
  for (const one of acts) {
    const process = processes[one.who]!
    if (one.what === 'take over') {
      process.epoch = await store.acquire()
      process.slots = await slotsOf(store)
      process.before = []
      continue
    }
    if (process.epoch === undefined) continue
    const slots = one.what === 'outdated' ? process.before : process.slots
    const parts = slots.flatMap((slot, i): Part[] => {
      const share = shareOf(items[i]!, slot.next, one.counts[i]!)
      return share.length === 0 ? [] : [{ slot, items: share }]
    })
    if (parts.length === 0) continue
    try {
      const copies = process.slots.map((slot) => ({ ...slot }))
      const moves = await store.transact(process.epoch, parts, one.what === 'roll back' ? 'roll back' : 'commit')
      told.push(`${one.what}: ${moves.map(({ slot, decision }) => `${slot.topic}/${slot.partition} to ${decision.next}`).join(', ')}`)
      if (one.what === 'apply') {
        process.before = copies
        for (const { slot, decision } of moves) {
          slot.next = decision.next
          slot.parkedOpen += decision.parkedOpen
          if (decision.shadowed.length > 0) slot.shadowing = true
        }
      }
    } catch (error) {
      if (!(error instanceof FencedError)) throw error
      told.push(`${one.what}: refused`)
    }
    told.push(...await store.state())
  }
  return told
}

/** The memory store of the simulation, as the contract asks. */
export function memoryStore(): Store {
  const replica = new MemoryReplica('sh')
  return {
    acquire: async () => replica.acquire(),
    begin: async (one, generation) => replica.begin(one, generation, 0),
    load: async () => replica.load(),
    isShadowing: async (one) => replica.isShadowing(one),
    transact: async (epoch, parts, end) => {
      if (end === 'commit') return replica.transact(epoch, parts)
      const copy = Object.assign(new MemoryReplica('sh'), structuredCopy(replica))
      return copy.transact(epoch, parts)
    },
    state: async () => [
      `applier epoch ${replica.epoch} next change ${replica.nextChange}`,
      ...sorted([...replica.positions.values()].map((row) =>
        `position ${at(row)} ${row.generation} ${row.first}-${row.next} ${Object.entries(row.counts).map(([name, n]) => `${name} ${n}`).join(' ')} records ${row.records}/${row.endedRecords} digest ${hex(row.digest)} parked ${row.parkedOpen} ${hex(row.parkedDigest)} complete ${row.completeFrom} sequence ${row.lastSequence} event ${row.lastEvent} heartbeat ${row.heartbeat ?? null}`)),
      ...sorted([...replica.rows.values()].map(({ place: one, item, change }) => `row ${at(one)} ${text(item)} change ${change}`)),
      ...sorted(replica.history.map(({ place: one, item, to, change }) => `history ${at(one)} ${text(item, 'without hash')} to ${to} change ${change ?? null}`)),
      ...sorted([...replica.parked.values()].map(({ place: one, item, buriedBy }) => `parked ${at(one)}@${item.offset} ${item.key} ${item.reason} ${item.hash.toString('hex')} sequence ${item.sequence} buried ${buriedBy ?? null}`)),
      ...sorted([...replica.shadowed.values()].map(({ place: one, item, detected, queued }) => `shadowed ${at(one)} ${item.key} v${item.version} ${item.eventId} ${item.body.toString('hex')} by ${detected} queued ${queued ?? null}`)),
      ...sorted([...replica.checkpoints.values()].map((one) => `checkpoint ${at(one.place)} ${one.generation} ${one.next} ${hex(one.digest)} ${hex(one.parkedDigest)}`)),
    ],
  }
}

export function sorted(lines: string[]): string[] {
  return lines.sort()
}

function structuredCopy(replica: MemoryReplica) {
  return {
    epoch: replica.epoch, nextChange: replica.nextChange, rows: new Map(replica.rows), history: [...replica.history], shadowed: new Map(replica.shadowed), checkpoints: new Map(replica.checkpoints),
    positions: new Map([...replica.positions].map(([key, row]) => [key, { ...row, counts: { ...row.counts } }])),
    parked: new Map([...replica.parked].map(([key, row]) => [key, { ...row }])),
  }
}

async function slotsOf(store: Store): Promise<Slot[]> {
  const stored = await store.load()
  return await Promise.all(PLACES.map(async (one) =>
    createSlot({ ...one, technical: false, own: one.region === 'sh' }, stored.find(({ topic, partition }) => topic === one.topic && partition === one.partition)!, await store.isShadowing(one))))
}

/** The next `count` items from `next` on, up to the end of their share. */
function shareOf(items: readonly Item[], next: number, count: number): Item[] {
  const waiting = items.filter(({ offset }) => offset >= next).slice(0, count)
  const end = waiting.findIndex(endsShare)
  return end < 0 ? waiting : waiting.slice(0, end + 1)
}

function place(events: readonly Event[], one: Place): Item[] {
  let offset = -1
  let beats = 27
  return events.map(([what, keyNumber, version, bodyNumber, gap], sequence): Item => {
    offset += 1 + gap
    const key = `${one.topic}/${one.partition}/${keyNumber}`
    const consumed = { offset, sequence, logEnd: 100, size: 1 }
    if (what === 'heartbeat') return { ...consumed, what: 'control', key: 'heartbeat', heartbeat: { number: ++beats, committedAt: 1_000 + beats, delayMs: 3 } }
    if (what === 'parked') return { ...consumed, what: 'parked', key, reason: 'bounds', subject: undefined, hash: parkedHash(offset, Buffer.from([bodyNumber])) }
    const kind = what === 'ending' ? 'void' : 'original'
    const contract = contractFor(one.stream as DataStream, kind)
    const body = Buffer.from([what === 'ending' ? 9 : bodyNumber, version])
    const number = BigInt(version)
    return {
      ...consumed, what: 'record', key, version: number, hash: recordHash(key, number, body), kind, ended: isEnding(kind), eventId: `${key}-${version}-${bodyNumber}`, body,
      columns: columnsOf(contract.fullName, () => columnValues(contract, sampleRecord(contract.fullName))),
    }
  })
}

const known = new Map<string, ReturnType<typeof columnValues>>()
function columnsOf(name: string, read: () => ReturnType<typeof columnValues>): ReturnType<typeof columnValues> {
  const columns = known.get(name) ?? read()
  known.set(name, columns)
  return columns
}

function text(item: { key: string; version: bigint; kind: string; ended: boolean; offset: number; eventId: string; hash: Buffer; body: Buffer }, hash?: 'without hash'): string {
  return `${item.key} v${item.version} ${item.kind} ${item.ended} @${item.offset} ${item.eventId} ${hash === undefined ? `${item.hash.toString('hex')} ` : ''}${item.body.toString('hex')}`
}

function at({ topic, partition }: Pick<Place, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`
}

function hex({ hi, lo }: { hi: bigint; lo: bigint }): string {
  return [hi, lo].map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, '0')).join('')
}
