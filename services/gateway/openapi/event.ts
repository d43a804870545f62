import { shapeOf, type Field, type RecordShape, type Shape } from '@hub/schemas/avro-schema'
import { CODES } from '@hub/schemas/codes'
import type { Contract } from '@hub/schemas/contracts'
import { FILLED_IN } from '@hub/schemas/read-envelope'

/** The JSON Schema (2020-12) of a contract's events as they are sent: the same names, dates and instants as text. */
export function eventSchema(contract: Contract): Record<string, unknown> {
  return { $id: contract.schema.name, description: contract.schema.doc, ...recordSchema(shapeOf(contract.schema), FILLED_IN) }
}

function recordSchema({ fields }: RecordShape, optional: ReadonlySet<string> = new Set()): Record<string, unknown> {
  const required = fields.filter(({ field, shape }) => !shape.nullable && field.default === undefined && !optional.has(field.name)).map(({ field }) => field.name)
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    // Null is the same as leaving out, wherever that is allowed.
    properties: Object.fromEntries(fields.map(({ field, shape }) => [field.name, { description: field.doc, ...orNull(!required.includes(field.name), valueSchema(field, shape)) }])),
  }
}

function orNull(nullable: boolean, schema: Record<string, unknown>): Record<string, unknown> {
  if (!nullable) return schema
  const { enum: codes } = schema
  return { ...schema, type: [schema['type'], 'null'], ...(Array.isArray(codes) && { enum: [...(codes as unknown[]), null] }) }
}

function valueSchema(field: Field, shape: Shape): Record<string, unknown> {
  switch (shape.kind) {
    case 'string': return stringSchema(field)
    case 'boolean': return { type: 'boolean' }
    case 'int':
    case 'long': return { type: 'integer', ...bounds(field) }
    case 'date': return { type: 'string', format: 'date' }
    case 'instant': return { type: 'string', format: 'date-time' }
    case 'bytes': return { type: 'string', pattern: '^[0-9a-f]*$' }
    case 'record': return recordSchema(shape.record!)
    case 'array': return { type: 'array', ...(field.maxItems !== undefined && { maxItems: field.maxItems }), items: orNull(shape.items!.nullable, valueSchema(field, shape.items!)) }
  }
}

function stringSchema({ codes, format, maxLength, pattern }: Field): Record<string, unknown> {
  const table = codes === undefined ? undefined : CODES[codes]
  return {
    type: 'string',
    ...(table?.closed && { enum: Object.keys(table.codes) }),
    ...(format === 'uuid' && { format }),
    ...(maxLength !== undefined && { maxLength }),
    ...(pattern !== undefined && { pattern }),
  }
}

function bounds({ minimum, maximum }: Field): Record<string, number> {
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) }
}
