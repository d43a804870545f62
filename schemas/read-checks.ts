import { isObject, type Values } from './read-record.ts'
import type { Reading } from './read-rules.ts'
import { parseDay, shanghaiDay } from './read-time.ts'
import type { DataStream } from './streams.ts'

/** What must hold between the fields of a record whose fields are good each by itself. */
export type Check = (record: Values, reading: Reading, input: Values) => void

export const RECORD_CHECKS: Readonly<Record<DataStream, Check>> = {
  complaint: checkComplaint, 'credit-blacklist': checkCredit, 'inspection-failure': checkInspection, recall: nothing, tally: (record, reading) => checkCountedDay('day', record, reading),
}

export const STUB_CHECKS: Readonly<Record<DataStream, Check>> = {
  complaint: checkEndedComplaint, 'credit-blacklist': checkEndedCredit, 'inspection-failure': nothing, recall: nothing, tally: nothing,
}

function nothing(): void {}

/** No platform that could have registered it existed before. */
const FIRST_COUNTED_DAY = parseDay('2000-01-01')!

/** The day that something is counted on; it may be ahead as far as a source's clock may be. */
function checkCountedDay(name: string, record: Values, reading: Reading): void {
  const day = record[name]
  if (typeof day !== 'number') return
  if (day < FIRST_COUNTED_DAY) reading.refuse(name, 'range', '≥ 2000-01-01')
  if (day > shanghaiDay(reading.now) + 1) reading.refuse(name, 'future', '≤ today')
}

function checkComplaint(record: Values, reading: Reading): void {
  const { registeredAt, registeredOn } = record
  checkCountedDay('registeredOn', record, reading)
  if (typeof registeredAt === 'number' && shanghaiDay(registeredAt) !== registeredOn) reading.refuse('registeredOn', 'day-mismatch', 'registeredAt in Asia/Shanghai')
}

/** All kinds but void keep counting (design 6), and a count needs its day and its state. */
function checkEndedComplaint(record: Values, reading: Reading): void {
  if (record['kind'] === 'void') return
  checkCountedDay('registeredOn', record, reading)
  for (const name of ['state', 'registeredOn']) if (record[name] === null) reading.refuse(name, 'required', 'string')
}

function checkCredit(record: Values, reading: Reading): void {
  const { recordType, listType, listedOn, penalty, removal, shield } = record
  const isPenalty = recordType === 'penalty'
  if (isPenalty !== (listType === 'penalty')) reading.refuse('listType', 'penalty-listing', isPenalty ? 'penalty' : 'abnormal, serious, sole-trader-mark')
  if (isPenalty && penalty === null) reading.refuse('penalty', 'required', 'object')
  if (!isPenalty && penalty !== null) reading.refuse('penalty', 'penalty-listing', 'null')
  if (!isPenalty && listedOn === null) reading.refuse('listedOn', 'required', 'string')
  if (record['kind'] === 'shield' && shield === null) reading.refuse('shield', 'required', 'object')
  const { uscc, regNo, pripid } = record['subject'] as Values
  if (uscc === null && regNo === null && pripid === null) reading.flag('subject-unidentified')
  if (!isObject(removal)) return
  if (typeof listedOn === 'number' && (removal['date'] as number) < listedOn) reading.flag('removal-before-listing')
  if (differ(removal['authority'], record['listedBy'] ?? record['authority'])) reading.flag('other-authority')
}

/** The stub keeps neither authority of the listing nor ground, so what they tell is told from the input. */
function checkEndedCredit(record: Values, reading: Reading, input: Values): void {
  const { kind } = record
  if ((kind === 'removal' || kind === 'repair') && differ(record['authority'], input['listedBy'])) reading.flag('other-authority')
}

/** Whether two authorities are told apart by code, or where one has none by name. */
function differ(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return false
  for (const by of ['code', 'name', 'rawName']) if (typeof a[by] === 'string' && typeof b[by] === 'string') return a[by] !== b[by]
  return false
}

function checkInspection(record: Values, reading: Reading): void {
  if ((record['failingItems'] as unknown[]).length === 0) reading.flag('no-failing-item')
  if (record['outcome'] === 'overturned' && record['publication'] === 'published') reading.refuse('publication', 'overturned-published', 'kind void')
}
