import type { DbClient } from '@hub/runtime/db'
import { type CurrentRow, decideShare, type OpenParked } from '../apply.ts'
import type { Part } from '../queue.ts'
import { type RecordStream } from './columns.ts'
import { eraseHistory, keepFolded, keepSuperseded } from './history.ts'
import { buryParked, readOpenParked, writeParked } from './parked.ts'
import type { Move } from './positions.ts'
import { readCurrent, writeRecords } from './records.ts'
import { dropShadowed, putShadowed } from './shadowed.ts'

/** Reads what the database knows about the keys of these parts and decides every share. The applier row must be held. */
export async function decideParts(c: DbClient, parts: readonly Part[]): Promise<Move[]> {
  const current = new Map<string, Map<string, CurrentRow>>()
  for (const [topic, group] of Map.groupBy(parts, ({ slot }) => slot.topic)) {
    const keys = group.flatMap(({ slot, items }) => keysToRead(slot.own, items))
    const { stream, region } = group[0]!.slot
    if (keys.length > 0) current.set(topic, await readCurrent(c, stream as RecordStream, region, keys))
  }
  const moves: Move[] = []
  for (const { slot, items } of parts) {
    const openParked = slot.parkedOpen > 0 ? await readOpenParked(c, slot, keysOf(items)) : NONE_PARKED
    const share = { own: slot.own, next: slot.next, items, current: current.get(slot.topic) ?? NO_ROWS, openParked }
    moves.push({ slot, decision: decideShare(share) })
  }
  return moves
}

/** Writes current rows, history, parked events and `shadowed` of all shares. @returns how many change numbers it used. */
export async function writeDecisions(c: DbClient, moves: readonly Move[], firstChange: bigint): Promise<number> {
  let change = firstChange
  for (const [stream, group] of Map.groupBy(moves.filter(({ decision }) => decision.puts.length > 0), ({ slot }) => slot.stream as RecordStream)) {
    const each = <T, R>(pick: (move: Move) => readonly T[], map: (entry: T, move: Move) => R): R[] =>
      group.flatMap((move) => pick(move).map((entry) => map(entry, move)))
    await keepSuperseded(c, stream, each((m) => m.decision.superseded, (row, { slot }) => ({ region: slot.region, ...row })))
    await eraseHistory(c, stream, each((m) => m.decision.erased, (key, { slot }) => ({ region: slot.region, key })))
    await keepFolded(c, stream, each((m) => m.decision.folded, (row, { slot }) => ({ region: slot.region, partition: slot.partition, ...row })))
    await writeRecords(c, stream, each((m) => m.decision.puts, (put, { slot }) => ({ region: slot.region, partition: slot.partition, change: change++, ...put })))
  }
  await writeParked(c, moves.flatMap(({ slot, decision }) => decision.parked.map((parking) => ({ slot, ...parking }))))
  await buryParked(c, moves.flatMap(({ slot, decision }) => decision.buried.map((row) => ({ slot, ...row }))))
  for (const { slot, decision } of moves) {
    if (!slot.own || slot.technical) continue
    if (slot.shadowing) await dropShadowed(c, slot.topic, decision.unshadowed)
    await putShadowed(c, slot.topic, slot.region, slot.stream as RecordStream, decision.shadowed)
  }
  return Number(change - firstChange)
}

const NO_ROWS: ReadonlyMap<string, CurrentRow> = new Map()
const NONE_PARKED: ReadonlyMap<string, OpenParked> = new Map()

function keysToRead(own: boolean, items: Part['items']): string[] {
  const keys = new Set<string>()
  for (const item of items) if (item.what === 'record' || (own && item.what === 'parked')) keys.add(item.key)
  return [...keys]
}

function keysOf(items: Part['items']): string[] {
  return [...new Set(items.map(({ key }) => key))]
}
