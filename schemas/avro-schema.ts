/** Who may see a field (domain reference 7.9); `involved` = the regions of the parties, `origin` = the region of the topic alone. */
export type Visibility = 'public' | 'bureaus' | 'involved' | 'origin'

/** What the hub uses of Avro: unions are `[null, X]` alone, dates and instants are raw numbers, no enums, no maps. */
export type AvroType = string | LogicalType | ArrayType | RecordSchema | readonly [null: 'null', type: AvroType]

export interface LogicalType {
  readonly type: 'int' | 'long'
  readonly logicalType: 'date' | 'timestamp-millis'
}

export interface ArrayType {
  readonly type: 'array'
  readonly items: AvroType
}

export interface RecordSchema {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly doc: string
  /** On a contract: `stub` = what stays of an ended record; `technical` = regions telling each other. */
  readonly role?: 'stub' | 'technical'
  readonly fields: readonly Field[]
}

/** A field with the hub's own attributes. Those about text and numbers hold for the items when the field is an array. */
export interface Field {
  readonly name: string
  readonly type: AvroType
  readonly default?: unknown
  readonly doc: string
  /** Law article, column of the source systems or section of the design that the field comes from. */
  readonly source: string
  readonly visibility: Visibility
  /** One of `FORMATS`. */
  readonly format?: string
  /** Name of its table in `codes.ts`. */
  readonly codes?: string
  /** JavaScript regular expression. */
  readonly pattern?: string
  /** Class of bounded wording: see `TEXT_BOUNDS`. */
  readonly text?: string
  /** UTF-16 code units of a string, bytes of a `bytes`. */
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  /** Typed column of the replica's table. Several fields may feed one: the first with a value wins. */
  readonly column?: string
  /** On a record: column by the name of its field. */
  readonly columns?: Readonly<Record<string, string>>
  /** On an array of records with a `role`: the first item of a role feeds its columns. */
  readonly columnsByRole?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** On an array of records with a `region`: the four regions among them, in the order of their codes, with a space between. */
  readonly involvedColumn?: string
}

export const FORMATS = ['uuid', 'record-id', 'uscc', 'gb2260'] as const

/** Longest text of each class. None is for free text: names, official phrases, printed labels and cells. */
export const TEXT_BOUNDS: Readonly<Record<string, number>> = { name: 200, address: 200, label: 200, official: 300, 'raw-cell': 1000 }

export type Kind = 'string' | 'boolean' | 'int' | 'long' | 'bytes' | 'date' | 'instant' | 'array' | 'record'

/** A type without names to look up: what generator, reader and columns are made from. */
export interface Shape {
  readonly kind: Kind
  readonly nullable: boolean
  /** Of a record. */
  readonly record?: RecordShape
  /** Of an array. */
  readonly items?: Shape
}

export interface RecordShape {
  readonly name: string
  readonly fields: readonly { readonly field: Field, readonly shape: Shape }[]
}

/** @throws Error for what the hub does not use of Avro, recursion included */
export function shapeOf(schema: RecordSchema): RecordShape {
  return recordShape(schema, new Map())
}

function recordShape(schema: RecordSchema, known: Map<string, RecordShape | undefined>): RecordShape {
  known.set(schema.name, undefined)
  const shape = { name: schema.name, fields: schema.fields.map((field) => ({ field, shape: typeShape(field.type, known) })) }
  known.set(schema.name, shape)
  return shape
}

function typeShape(type: AvroType, known: Map<string, RecordShape | undefined>): Shape {
  if (typeof type === 'string') {
    if (type === 'string' || type === 'boolean' || type === 'int' || type === 'long' || type === 'bytes') return { kind: type, nullable: false }
    const record = known.get(type)
    if (record === undefined) throw new Error(`type ${type} is not defined before its use, or holds itself`)
    return { kind: 'record', nullable: false, record }
  }
  if (isUnion(type)) {
    const [first, second, ...others] = type as readonly AvroType[]
    if (first !== 'null' || second === undefined || others.length > 0) throw new Error('a union must be [null, X]')
    return { ...typeShape(second, known), nullable: true }
  }
  if (type.type === 'record') return { kind: 'record', nullable: false, record: recordShape(type, known) }
  if (type.type === 'array') return { kind: 'array', nullable: false, items: typeShape(type.items, known) }
  if (type.type === 'int' && type.logicalType === 'date') return { kind: 'date', nullable: false }
  if (type.type === 'long' && type.logicalType === 'timestamp-millis') return { kind: 'instant', nullable: false }
  throw new Error(`type ${JSON.stringify(type)} is not one the hub uses`)
}

function isUnion(type: AvroType): type is readonly ['null', AvroType] {
  return Array.isArray(type)
}

/** Every field of a record and of the records in it, with its path (`subject.uscc`, `parties[].name`). */
export function* allFields(shape: RecordShape, path = ''): Generator<{ path: string, field: Field, shape: Shape }> {
  for (const { field, shape: type } of shape.fields) {
    const here = path + field.name
    yield { path: here, field, shape: type }
    if (type.record !== undefined) yield* allFields(type.record, `${here}.`)
    if (type.items?.record !== undefined) yield* allFields(type.items.record, `${here}[].`)
  }
}
