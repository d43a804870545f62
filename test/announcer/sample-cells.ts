import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { complaintCases } from '@hub/connectors/shapes/complaint-cases/index'
import { complaintChanges } from '@hub/connectors/shapes/complaint-changes/index'
import { complaintTable } from '@hub/connectors/shapes/complaint-table/index'
import type { EventInput } from '@hub/connectors/event-input'
import { together, type Cells } from '@hub/announcer/figures/cells'
import { cellsOf } from '@hub/announcer/figures/from-rollups'
import { readEvent } from '@hub/schemas/read-event'
import { countableOf, Counting, ROLLUP_TABLES, type RolledStream } from '@hub/schemas/rollups'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { columnValues } from '@hub/schemas/tables'
import { importFile, NOW, SOURCES } from '../connectors/import-file.ts'

export interface StatedWindow {
  readonly received: number
  readonly counted: number
  readonly refused: number
  readonly accepted: number
  readonly mediation: Readonly<Record<string, number>>
  readonly recoveredFen: number
  readonly byIssue: Readonly<Record<string, number>>
  readonly reports: number
  readonly consultations: number
}

export interface Stated {
  readonly file: string
  readonly windows: Readonly<Record<string, StatedWindow>>
  readonly byObjectKind: Readonly<Record<string, number>>
  readonly byIssue: Readonly<Record<string, number>>
  readonly mediation: Readonly<Record<string, number>>
  readonly recoveredFen: number
  readonly counted: number
  readonly accepted: number
  readonly top10: readonly { readonly uscc: string, readonly name: string, readonly count: number }[]
}

export const STATED = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as {
  readonly complaints: Readonly<Record<Region | 'total', Stated>>
  readonly windows: Readonly<Record<string, readonly [string, string]>>
}

const SHAPES = { sh: complaintCases, js: complaintTable, zj: complaintChanges, ah: complaintTable } as const

/** The cells of what the four regions' files hold, as their replicas count it. */
export async function sampleCells(): Promise<Cells> {
  return together(await Promise.all(REGIONS.map(async (region) => {
    const { published, ledger } = await importFile(STATED.complaints[region].file, SHAPES[region], region)
    const newest = new Map<string, (typeof published)[number]>()
    for (const one of published) if (one.version > (newest.get(one.event.recordId)?.version ?? 0)) newest.set(one.event.recordId, one)
    return cellsOfEvents(region, [...[...newest.values()].map(({ event }) => ['complaint', event] as const), ...ledger.tallies().map((event) => ['tally', event] as const)])
  })))
}

/** What events that are their records' newest versions count for; `times` = as many records that say the same. */
export function cellsOfEvents(region: Region, events: readonly (readonly [stream: RolledStream, event: EventInput, times?: number])[]): Cells {
  const counting = new Counting()
  for (const [stream, input, times = 1] of events) {
    const read = readEvent(stream, region, structuredClone(input), NOW)
    if (!read.ok) throw new Error(`${input.recordId}: ${JSON.stringify(read.problems)}`)
    const { contract, record, kind } = read.event
    const countable = countableOf(stream, { kind, columns: columnValues(contract, record) })
    for (let n = 0; n < times; n++) counting.change(stream, undefined, countable)
  }
  return cellsOf(region, Object.fromEntries(ROLLUP_TABLES.map((table) => [table, counting.cells(table)])))
}
