import type { Field, RecordShape, Shape } from './avro-schema.ts'
import { containsIdentity } from './identity.ts'
import { parseDay, parseInstant } from './read-time.ts'
import { stringReader, type ReadValue } from './read-string.ts'
import type { Reading } from './read-rules.ts'
import { GB_CODES, type Region } from './streams.ts'

export type Values = Record<string, unknown>

/** How a field is read when it stands in the input, and what it is when it does not. */
export interface FieldReader {
  read: ReadValue
  absent: (reading: Reading) => unknown
}

const INT = 2 ** 31
const FIELD_NAME = /^[\p{L}_$][\p{L}\p{N}_$-]{0,63}$/u
const REGION_OF = new Map(Object.entries(GB_CODES).map(([region, code]) => [code, region as Region]))

/**
 * The reader of a record, made once: input (parsed JSON) to Avro form with all fields in the contract's order. It notes every problem and goes on.
 * @param own readers of single fields that replace the contract's
 * @param dropped names that may stand in the input and are not looked at
 */
export function recordReader(shape: RecordShape, path: string, own: Readonly<Record<string, FieldReader>> = {}, dropped: ReadonlySet<string> = new Set()): ReadValue {
  const fields = shape.fields.map(({ field, shape: type }) => ({ name: field.name, ...(own[field.name] ?? fieldReader(field, type, join(path, field.name))) }))
  const names = new Set(fields.map(({ name }) => name))
  const placed = names.has('division') && names.has('region')
  // A copy of it has room for all fields: one that grows field by field leaves a longer and longer trail of garbage.
  const blank: Values = Object.fromEntries(fields.map(({ name }) => [name, null]))
  return (value, reading) => {
    if (!isObject(value)) return reading.refuse(path, 'type', 'object')
    const record: Values = { ...blank }
    let seen = 0
    for (const { name, read, absent } of fields) {
      const given = value[name]
      if (given !== undefined) seen++
      record[name] = given === undefined || given === null ? absent(reading) : read(given, reading)
    }
    if (countFields(value) !== seen) refuseUnknown(value, path, names, dropped, reading)
    if (placed) placeRegion(record, path, reading)
    return record
  }
}

function fieldReader(field: Field, shape: Shape, path: string): FieldReader {
  return { read: valueReader(field, shape, path), absent: absentValue(field, shape, path) }
}

function valueReader(field: Field, shape: Shape, path: string): ReadValue {
  switch (shape.kind) {
    case 'string': return stringReader(field, path, shape.nullable)
    case 'boolean': return (value, reading) => (typeof value === 'boolean' ? value : reading.refuse(path, 'type', 'boolean'))
    case 'int': return integerReader(path, field.minimum ?? -INT, field.maximum ?? INT - 1)
    case 'long': return integerReader(path, field.minimum ?? Number.MIN_SAFE_INTEGER, field.maximum ?? Number.MAX_SAFE_INTEGER)
    case 'date': return dateReader(path)
    case 'instant': return instantReader(path)
    case 'array': return arrayReader(field, shape.items!, path)
    case 'record': return recordReader(shape.record!, path)
    case 'bytes': throw new Error(`${path}: bytes have no form in an input`)
  }
}

export function integerReader(path: string, minimum: number, maximum: number): ReadValue {
  const expected = `${minimum}..${maximum}`
  return (value, reading) => {
    if (typeof value !== 'number') return reading.refuse(path, 'type', 'number')
    if (!Number.isInteger(value)) return reading.refuse(path, 'integer', expected)
    if (value < minimum || value > maximum) return reading.refuse(path, 'range', expected)
    return value
  }
}

function dateReader(path: string): ReadValue {
  return (value, reading) => {
    if (typeof value !== 'string') return reading.refuse(path, 'type', 'string')
    return parseDay(value) ?? reading.refuse(path, 'date', 'YYYY-MM-DD, 1900..2100')
  }
}

export function instantReader(path: string): ReadValue {
  return (value, reading) => {
    if (typeof value !== 'string') return reading.refuse(path, 'type', 'string')
    return parseInstant(value) ?? reading.refuse(path, 'instant', 'RFC 3339, 1900..2100: 2026-03-15T09:30:00+08:00')
  }
}

function arrayReader(field: Field, items: Shape, path: string): ReadValue {
  const place = `${path}[]`
  const read = valueReader(field, items, place)
  const { maxItems = 0 } = field
  return (value, reading) => {
    if (!Array.isArray(value)) return reading.refuse(path, 'type', 'array')
    if (value.length > maxItems) return reading.refuse(path, 'too-many', `≤ ${maxItems}`)
    return value.map((item, at) => {
      const before = reading.problems.length
      const found = read(item, reading)
      for (let i = before; i < reading.problems.length; i++) {
        const problem = reading.problems[i]!
        reading.problems[i] = { ...problem, field: `${path}[${at}]${problem.field.slice(place.length)}` }
      }
      return found
    })
  }
}

function absentValue({ default: value }: Field, shape: Shape, path: string): (reading: Reading) => unknown {
  if (shape.nullable) return () => null
  if (value === undefined) return (reading) => reading.refuse(path, 'required', shape.kind === 'instant' || shape.kind === 'date' ? 'string' : shape.kind)
  if (Array.isArray(value)) return () => []
  if (isObject(value)) return () => ({ ...value })
  return () => value
}

function refuseUnknown(value: Values, path: string, names: ReadonlySet<string>, dropped: ReadonlySet<string>, reading: Reading): void {
  for (const name of Object.keys(value)) {
    if (names.has(name) || dropped.has(name)) continue
    const telling = FIELD_NAME.test(name) && !containsIdentity(name, reading.today)
    reading.refuse(join(path, telling ? name : '?'), 'unknown-field', [...names].join(', '))
  }
}

/** A firm's region follows from its division; where both are given they must agree. */
function placeRegion(record: Values, path: string, reading: Reading): void {
  const { division, region } = record
  if (typeof division !== 'string') return
  const derived = REGION_OF.get(division.slice(0, 2)) ?? 'other'
  if (region === null) record['region'] = derived
  else if (region !== undefined && region !== derived) reading.refuse(join(path, 'region'), 'region-mismatch', derived)
}

function countFields(value: Values): number {
  let count = 0
  for (const name in value) if (value[name] !== undefined) count++
  return count
}

export function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
