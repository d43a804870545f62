import { contractByName } from '@hub/schemas/contracts'
import type { Region } from '@hub/schemas/streams'
import { fieldsUpTo, grantFor, stateOf, type Viewer } from '@hub/schemas/visibility'
import { incompleteOf, listOf, takenAt, verdictOf, type Moment, type Verdict } from './answer.ts'
import type { Asked } from './question.ts'
import { fieldsReader } from './wire/fields.ts'
import { wireJson } from './wire/json.ts'
import type { ByteSink } from './wire/sink.ts'
import { Wire } from './wire/wire.ts'

/** What is held of subjects while it is current; what has ended is not. */
export const HELD = contractByName('cn.yrd.credit_blacklist.CreditRecord')!

/** A current record of the subject as it stands on the log. */
export interface HeldRecord {
  /** Wire value of the contract `HELD` and no other version of it. */
  readonly body: Buffer
  /** See `evidencePlace`. */
  readonly place: Buffer
  readonly offset: number
}

/** Who may be answered from bytes: everyone except the public, who is not told everything of persons. */
export type InsideViewer = Exclude<Viewer, { kind: 'public' }>

/** Behind the byte and the schema id that begin a wire value. */
const RECORD_AT = 5
/** What decides whether a record is shown and as what, and what stands before it. */
const factsIn = fieldsReader(HELD, ['eventId', 'kind', 'region', 'recordType', 'listType', 'until', 'shield.from', 'shield.until', 'removal.date', 'penalty.publicUntil', 'publication'])
const WRITERS = { bureaus: wireJson(HELD, fieldsUpTo('bureaus')), involved: wireJson(HELD, fieldsUpTo('involved')), origin: wireJson(HELD, fieldsUpTo('origin')) }
const wire = new Wire()

type Level = keyof typeof WRITERS
interface Shown { readonly held: HeldRecord; readonly facts: Readonly<Record<string, unknown>>; readonly level: Level; readonly active: boolean }

const [BEGIN, COMMA, PENALTIES, WITHHELD, INCOMPLETE, RECORD, END, NULL, EVENT_ID] = ['{"uscc":"', ',', '],"penalties":[', '],"withheld":[', '],"incomplete":', '},"record":', '}', 'null', ',"eventId":'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer]
const PLAIN_ID = /^[0-9a-f-]{36}$/

/**
 * Writes what `answer` says of a code, without its last brace: the bytes are those of its JSON, made of the records' own bytes without objects in between.
 * @param found all current records of the code
 * @param parkedIn see `answer`
 */
export function writeAnswer(sink: ByteSink, { code, checkHolds }: Asked & { readonly code: string }, found: readonly HeldRecord[], parkedIn: readonly Region[], moment: Moment, viewer: InsideViewer): Verdict {
  const shown = found.flatMap((held) => shownTo(viewer, held, moment.today))
  const listings = shown.filter(({ active, facts }) => active && facts['recordType'] === 'listing')
  const incomplete = incompleteOf(moment, parkedIn)
  const verdict = verdictOf(listings.length > 0, incomplete.length === 0)
  sink.raw(BEGIN)
  sink.ascii(code)
  sink.raw(VERDICTS[verdict][checkHolds ? 'holds' : 'fails'])
  writeAll(sink, listings)
  sink.raw(PENALTIES)
  writeAll(sink, shown.filter(({ active, facts }) => active && facts['recordType'] === 'penalty'))
  sink.raw(WITHHELD)
  writeAll(sink, shown.filter(({ active }) => !active))
  sink.raw(INCOMPLETE)
  if (incomplete === moment.incomplete) sink.raw(moment.incompleteBytes)
  else sink.json(incomplete)
  return verdict
}

/** What stands before the offset in a record's evidence. */
export function evidencePlace(topic: string, partition: number): Buffer {
  return Buffer.from(`,"evidence":${JSON.stringify({ topic, partition, offset: 0 }).slice(0, -2)}`)
}

const VERDICTS = Object.fromEntries((['listed', 'not-listed', 'unknown'] as const).map((verdict) => [verdict, {
  holds: Buffer.from(`","verdict":"${verdict}","flags":[],"listings":[`), fails: Buffer.from(`","verdict":"${verdict}","flags":["check-failed"],"listings":[`),
}])) as Record<Verdict, { readonly holds: Buffer; readonly fails: Buffer }>

function shownTo(viewer: InsideViewer, held: HeldRecord, today: number): Shown[] {
  const facts = factsIn(wire.open(held.body, RECORD_AT))
  const level = grantFor(HELD, facts, viewer, today)
  return level in WRITERS ? [{ held, facts, level: level as Level, active: stateOf(HELD, facts, today) === 'published' }] : []
}

function writeAll(sink: ByteSink, all: readonly Shown[]): void {
  for (const [n, { held, facts, level }] of all.entries()) {
    if (n > 0) sink.raw(COMMA)
    const eventId = facts['eventId'] as string
    sink.raw(beginOf(facts['region'] as string, facts['listType'] as string))
    const taken = takenAt(eventId)
    if (taken === null) sink.raw(NULL)
    else sink.instant(taken)
    sink.raw(held.place)
    sink.integer(held.offset)
    sink.raw(EVENT_ID)
    if (PLAIN_ID.test(eventId)) sink.ascii(`"${eventId}"`)
    else sink.json(eventId)
    sink.raw(RECORD)
    WRITERS[level](wire.open(held.body, RECORD_AT), sink)
    sink.raw(END)
  }
}

/** Regions and lists are few; of what is none of them nothing is kept. */
const begins = new Map<string, Buffer>()
const MOST_BEGINS = 256

function beginOf(region: string, listType: string): Buffer {
  const key = `${region} ${listType}`
  let begin = begins.get(key)
  if (begin === undefined) {
    begin = Buffer.from(`${JSON.stringify({ region, list: listOf(listType) }).slice(0, -1)},"reachedHubAt":`)
    if (begins.size < MOST_BEGINS) begins.set(key, begin)
  }
  return begin
}
