import { FORMATS, TEXT_BOUNDS, allFields, shapeOf, type Field, type RecordSchema, type Shape } from './avro-schema.ts'
import { CODES } from './codes.ts'

const VISIBILITIES = ['public', 'bureaus', 'involved', 'origin']
const MAX_FIELDS = 200
const MAX_BYTES = 64 * 1024

/** Names under which systems keep who complained, who handled it, or text about either. No contract has a field called so. */
export const DENIED = /complainant|consumer(name)?$|applicant|reporter|informant|rqst|person|gender|^age$|phone|mobile|telephone|linknumber|emai|mail|idnumber|idcard|certificate|contact|officer|operator|legalrep|content|description|describe|remark|comment|note$|opinion|narrative|freetext|attachment/i

/** What is wrong with a contract by the hub's rules (design 6, 9; security reference 3.2); one line per finding, empty = good. */
export function lintContract(schema: RecordSchema): string[] {
  const found: string[] = []
  const fields = [...allFields(shapeOf(schema))]
  if (fields.length > MAX_FIELDS) found.push(`${fields.length} fields, at most ${MAX_FIELDS}`)
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_BYTES) found.push(`longer than ${MAX_BYTES} bytes`)
  for (const { path, field, shape } of fields) found.push(...lintField(field, shape).map((message) => `${path}: ${message}`))
  return found
}

function lintField(field: Field, shape: Shape): string[] {
  const found: string[] = []
  if (!field.doc) found.push('no doc')
  if (!field.source) found.push('no source')
  if (!VISIBILITIES.includes(field.visibility)) found.push('no visibility')
  if (DENIED.test(field.name)) found.push('a name kept for personal data or free text')
  if (shape.nullable && field.default !== null) found.push('a union with null needs the default null')
  if (shape.kind === 'array' && field.maxItems === undefined) found.push('an array needs maxItems')
  if (shape.items?.record?.fields.length === 0) found.push('items without fields take no bytes')
  const kind = shape.items?.kind ?? shape.kind
  if (kind === 'string') found.push(...lintString(field))
  if (kind === 'bytes' && field.maxLength === undefined) found.push('bytes need maxLength')
  if ((kind === 'int' || kind === 'long') && (field.minimum === undefined || field.maximum === undefined)) found.push('a number needs minimum and maximum')
  return found
}

/** A string says what may stand in it in exactly one way, and how long it may be. */
function lintString({ format, codes, pattern, text, maxLength }: Field): string[] {
  const ways = [format, codes, pattern, text].filter((way) => way !== undefined)
  if (ways.length !== 1) return ['a string needs exactly one of format, codes, pattern, text']
  if (format !== undefined && !(FORMATS as readonly string[]).includes(format)) return [`unknown format ${format}`]
  if (codes !== undefined && CODES[codes] === undefined) return [`unknown code table ${codes}`]
  if (pattern !== undefined && (maxLength ?? Infinity) > 128) return ['a pattern needs maxLength of at most 128']
  if (text !== undefined && (maxLength ?? Infinity) > (TEXT_BOUNDS[text] ?? 0)) return [`text ${text} needs maxLength of at most ${TEXT_BOUNDS[text]}`]
  return []
}
