import { createSecretKey } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename, join } from 'node:path'
import { convert } from '@hub/connectors/convert'
import { Ledger, type Taken } from '@hub/connectors/ledger'
import { codesOf } from '@hub/connectors/reference/codes'
import type { Context } from '@hub/connectors/context'
import type { EventInput } from '@hub/connectors/event-input'
import type { Declared, Shape } from '@hub/connectors/shape'
import { classOf, isDoubtful, type ImportVerdict, type Place, type RowClass, type RowFlag } from '@hub/connectors/verdict'
import { decidePublication, type PublishedVersion } from '@hub/gateway/publish/publish-decision'
import { readEvent } from '@hub/schemas/read-event'
import type { DataStream, Region } from '@hub/schemas/streams'

export const SOURCES = join(import.meta.dirname, '../data/sources/files')
/** The files state what was so on 2026-03-31. */
export const NOW = Date.UTC(2026, 3, 1, 4)

const KEY = createSecretKey('test key', 'utf8')

export interface Verdict extends Omit<Taken, 'verdict' | 'flags'> {
  readonly verdict: ImportVerdict
  readonly flags: readonly RowFlag[]
}

export interface Imported {
  readonly verdicts: Verdict[]
  readonly ledger: Ledger
  /** What was published, in order, with the version the gateway gave. */
  readonly published: { readonly stream: DataStream, readonly event: EventInput, readonly version: number }[]
}

export function contextOf(region: Region, file: string, source = `test-${region}`): Context {
  return { region, source, now: NOW, key: KEY, codes: codesOf(region), file }
}

export function sourceFile(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(join(SOURCES, path))
}

/** One by one what comes some at a time. */
export async function* rowsOf<T>(pieces: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const piece of pieces) yield* piece
}

/** What the gateway remembers, and how it decides: its own functions, without its database. */
export class Publishing {
  readonly #published = new Map<string, PublishedVersion[]>()
  readonly region: Region

  constructor(region: Region) {
    this.region = region
  }

  publish(stream: DataStream, input: EventInput): { verdict: ImportVerdict, flags: RowFlag[], version: number } {
    const read = readEvent(stream, this.region, structuredClone(input), NOW)
    if (!read.ok) throw new Error(`${input.recordId}: the contract refuses it: ${JSON.stringify(read.problems)}`)
    const { origin, hash, kind, ended, recordId } = read.event
    const versions = this.#published.get(recordId) ?? []
    const decision = decidePublication({ current: versions.at(-1), find: (version) => versions.find((one) => one.version === version) }, { origin, hash, kind, ended })
    const version = 'version' in decision ? decision.version : 0
    if (version > 0) this.#published.set(recordId, [...versions, { version, hash, eventId: '', ended }])
    return { verdict: decision.verdict, flags: read.event.flags as RowFlag[], version }
  }
}

/** Imports a file as the product does, with the gateway's decisions, and keeps everything in memory. */
export async function importFile(path: string, shape: Shape, region: Region, { declared = {}, bytes = sourceFile(path), publishing = new Publishing(region), context = contextOf(region, basename(path)), ledger = new Ledger(shape, context) }: {
  declared?: Declared, bytes?: AsyncIterable<Uint8Array>, publishing?: Publishing, context?: Context, ledger?: Ledger
} = {}): Promise<Imported> {
  const verdicts: Verdict[] = []
  const published: Imported['published'] = []
  for await (const result of rowsOf(convert(bytes, shape, context, declared))) {
    const taken = ledger.take(result)
    let { verdict } = taken
    let told: readonly RowFlag[] = []
    if (taken.event !== undefined) {
      const decided = publishing.publish(taken.stream, taken.event)
      if (decided.version > 0) published.push({ stream: taken.stream, event: taken.event, version: decided.version })
      told = decided.flags
      verdict ??= decided.verdict
    }
    verdicts.push({ ...taken, verdict: verdict!, flags: taken.flags })
    for (const place of taken.settled ?? []) change(place, (one) => ({ ...one, verdict: 'accepted' }))
    change(taken.about ?? taken.place, (one) => ({ ...one, flags: [...new Set([...one.flags, ...told])] }))
  }
  return { verdicts, ledger, published }

  function change({ sheet, row }: Place, to: (verdict: Verdict) => Verdict): void {
    const at = verdicts.findLastIndex(({ place }) => place.row === row && place.sheet === sheet)
    if (at >= 0) verdicts[at] = to(verdicts[at]!)
  }
}

export type Counts = Record<RowClass | 'total', number>

/** Rows by class, as data/README.md counts them. */
export function countsOf(verdicts: readonly Verdict[]): Counts {
  const counts: Counts = { total: 0, good: 0, doubtful: 0, duplicate: 0, stale: 0, correction: 0, conflict: 0, bad: 0 }
  for (const { verdict, flags, stream, skip, rows } of verdicts) {
    const kind = classOf(verdict, flags, stream, skip)
    if (kind === undefined) continue
    counts[kind] += rows
    counts.total += rows
  }
  return counts
}

export function doubtfulRows(verdicts: readonly Verdict[]): number[] {
  return verdicts.filter(({ flags, stream }) => flags.some((flag) => isDoubtful(flag, stream))).map(({ place }) => place.row)
}
