/** An Avro schema as parsed JSON, as far as walking over it needs. */
export type AvroSchema = string | readonly AvroSchema[] | AvroObject

export interface AvroObject {
  readonly type: AvroSchema
  readonly name?: string
  readonly namespace?: string
  readonly aliases?: readonly string[]
  readonly fields?: readonly AvroField[]
  readonly symbols?: readonly string[]
  readonly size?: number
  readonly items?: AvroSchema
  readonly values?: AvroSchema
  readonly logicalType?: string
  readonly default?: unknown
}

export interface AvroField {
  readonly name: string
  readonly type: AvroSchema
  readonly aliases?: readonly string[]
  readonly default?: unknown
}

/** One type with its names resolved: a union, a primitive under its name, or an object with the namespace its parts stand in. */
export type AvroNode =
  | { readonly kind: 'union'; readonly branches: readonly AvroSchema[]; readonly namespace: string }
  | { readonly kind: string; readonly schema: AvroObject; readonly fullName?: string; readonly namespace: string }

const NAMED = new Set(['record', 'error', 'enum', 'fixed'])
const PRIMITIVE = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])

/** Named types of one schema by full name, with the namespace they were met in. */
export type AvroNames = Map<string, { readonly schema: AvroObject; readonly namespace: string }>

/** Resolves one type: remembers a named one, looks a reference up. Throws for an unknown name. */
export function resolveType(schema: AvroSchema, namespace: string, names: AvroNames): AvroNode {
  if (typeof schema === 'string') {
    if (PRIMITIVE.has(schema)) return { kind: schema, schema: { type: schema }, namespace }
    const known = names.get(qualified(schema, namespace)) ?? names.get(schema)
    if (known === undefined) throw new Error(`unknown type ${schema}`)
    return named(known.schema, known.namespace)
  }
  if (Array.isArray(schema)) return { kind: 'union', branches: schema as readonly AvroSchema[], namespace }
  const object = schema as AvroObject
  if (typeof object !== 'object' || object === null) throw new Error('not an Avro type')
  if (typeof object.type !== 'string') return resolveType(object.type, namespace, names)
  if (NAMED.has(object.type)) {
    names.set(fullNameOf(object, namespace), { schema: object, namespace })
    return named(object, namespace)
  }
  if (PRIMITIVE.has(object.type) || object.type === 'array' || object.type === 'map') return { kind: object.type, schema: object, namespace }
  return resolveType(object.type, namespace, names)
}

/** `Name` in namespace `a.b` = `a.b.Name`; a name with dots stands for itself. */
export function fullNameOf(schema: { readonly name?: string; readonly namespace?: string }, namespace = ''): string {
  return qualified(schema.name ?? '', schema.namespace ?? namespace)
}

function named(schema: AvroObject, namespace: string): AvroNode {
  const fullName = fullNameOf(schema, namespace)
  return { kind: schema.type === 'error' ? 'record' : (schema.type as string), schema, fullName, namespace: fullName.slice(0, Math.max(0, fullName.lastIndexOf('.'))) }
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}
