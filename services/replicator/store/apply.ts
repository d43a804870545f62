import type { DbClient, DbTx } from '@hub/runtime/db'
import { type CurrentRow, decideShare, type OpenParked } from '../apply.ts'
import type { Part } from '../queue.ts'
import { archiveItems, archiveStored, purgeArchive } from './archive.ts'
import { type RecordStream } from './columns.ts'
import { eraseHistory, keepFolded, keepSuperseded } from './history.ts'
import { buryParked, readOpenParked, writeParked } from './parked.ts'
import type { Move } from './positions.ts'
import { readCurrent, writeRecords } from './records.ts'
import { keepRollups } from './rollups.ts'
import { dropShadowed, putShadowed } from './shadowed.ts'

/** Reads what the database knows about the keys of these parts and decides every share. The applier row must be held. */
export async function decideParts(c: DbClient, parts: readonly Part[]): Promise<Move[]> {
  const reading = [...Map.groupBy(parts, ({ slot }) => slot.topic)].map(async ([topic, group]) => {
    const keys = group.flatMap(({ slot, items }) => keysToRead(slot.own, items))
    const { stream, region } = group[0]!.slot
    return [topic, keys.length > 0 ? await readCurrent(c, stream as RecordStream, region, keys) : NO_ROWS] as const
  })
  const readingParked = parts.map(({ slot, items }) => (slot.parkedOpen > 0 ? readOpenParked(c, slot, keysOf(items)) : NONE_PARKED))
  const [current, openParked] = await Promise.all([Promise.all(reading), Promise.all(readingParked)])
  const rows = new Map(current)
  return parts.map(({ slot, items }, i) => ({
    slot,
    decision: decideShare({ own: slot.own, next: slot.next, items, current: rows.get(slot.topic)!, openParked: openParked[i]! }),
  }))
}

/** Writes current rows, history, archive, parked events and `shadowed` of all shares; their change numbers begin with `firstChange`. */
export function writeDecisions(c: DbTx, moves: readonly Move[], firstChange: bigint): void {
  let change = firstChange
  for (const [stream, group] of Map.groupBy(moves.filter(({ decision }) => decision.puts.length > 0), ({ slot }) => slot.stream as RecordStream)) {
    const each = <T, R>(pick: (move: Move) => readonly T[], map: (entry: T, move: Move) => R): R[] =>
      group.flatMap((move) => pick(move).map((entry) => map(entry, move)))
    for (const { slot, decision: { archive } } of group.filter(({ slot }) => slot.own)) {
      purgeArchive(c, stream, archive.purged)
      archiveStored(c, stream, slot.region, archive.stored)
      archiveItems(c, stream, archive.items)
    }
    keepSuperseded(c, stream, each((m) => m.decision.superseded, (row, { slot }) => ({ region: slot.region, ...row })))
    eraseHistory(c, stream, each((m) => m.decision.erased, (key, { slot }) => ({ region: slot.region, key })))
    keepFolded(c, stream, each((m) => m.decision.folded, (row, { slot }) => ({ region: slot.region, partition: slot.partition, ...row })))
    writeRecords(c, stream, each((m) => m.decision.puts, (put, { slot }) => ({ region: slot.region, partition: slot.partition, change: change++, ...put })))
    keepRollups(c, stream, group.map(({ slot, decision }) => ({ region: slot.region, partition: slot.partition, changes: decision.puts })))
  }
  writeParked(c, moves.flatMap(({ slot, decision }) => decision.parked.map((parking) => ({ slot, ...parking }))))
  buryParked(c, moves.flatMap(({ slot, decision }) => decision.buried.map((row) => ({ slot, ...row }))))
  for (const { slot, decision } of moves) {
    if (!slot.own || slot.technical) continue
    if (slot.shadowing) dropShadowed(c, slot.topic, decision.unshadowed)
    putShadowed(c, slot.topic, slot.region, slot.stream as RecordStream, decision.shadowed)
  }
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
