import { readFileSync } from 'node:fs'
import { shapeOf, type RecordShape, type Shape } from './avro-schema.ts'
import { contractByName } from './contracts.ts'
import { parseDay, parseInstant } from './read-time.ts'

type Values = Record<string, unknown>

/** Every contract has a sample; some have a second one under the name of the variant. */
export const VARIANTS: readonly (readonly [fullName: string, variant: string])[] = [
  ['cn.yrd.credit_blacklist.CreditRecord', 'penalty'],
  ['cn.yrd.inspection_failure.InspectionFailure', 'product'],
]

/** A complete sample of a contract in its JSON form (bytes as hex), a fresh copy each time. The firms are invented. */
export function sample(fullName: string, variant?: string): Values {
  const name = fullName.slice(fullName.lastIndexOf('.') + 1)
  return JSON.parse(readFileSync(new URL(`samples/${name}${variant === undefined ? '' : `-${variant}`}.json`, import.meta.url), 'utf8')) as Values
}

/** The same sample in its Avro form. */
export function sampleRecord(fullName: string, variant?: string): Values {
  return avroRecord(shapeOf(contractByName(fullName)!.schema), sample(fullName, variant))
}

function avroRecord(shape: RecordShape, json: Values): Values {
  return Object.fromEntries(shape.fields.map(({ field, shape: type }) => [field.name, avroValue(type, json[field.name] ?? field.default)]))
}

function avroValue(shape: Shape, json: unknown): unknown {
  if (json === null || json === undefined) return json
  if (shape.record !== undefined) return avroRecord(shape.record, json as Values)
  if (shape.items !== undefined) return (json as unknown[]).map((item) => avroValue(shape.items!, item))
  if (shape.kind === 'date') return parseDay(json as string)
  if (shape.kind === 'instant') return parseInstant(json as string)
  return shape.kind === 'bytes' ? Buffer.from(json as string, 'hex') : json
}
