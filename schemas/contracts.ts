import type { RecordSchema } from './avro-schema.ts'
import { SCHEMAS } from './generated/schemas.ts'
import { isEnding } from './record-rule.ts'
import type { DataStream, Stream } from './streams.ts'

export interface Contract {
  readonly fullName: string
  /** In the registry: the full name. */
  readonly subject: string
  readonly stream: Stream | 'control'
  /** `stub` = what stays of an ended record, `technical` = regions telling each other how far replicas and sources are. */
  readonly role: 'record' | 'stub' | 'control' | 'technical'
  readonly schema: RecordSchema
  /** What is registered: the schema as JSON without white space. */
  readonly schemaText: string
}

export const ALL_CONTRACTS: readonly Contract[] = SCHEMAS.map(([stream, schemaText]) => {
  const schema = JSON.parse(schemaText) as RecordSchema
  const fullName = `${schema.namespace}.${schema.name}`
  return { fullName, subject: fullName, stream, role: schema.role ?? (stream === 'control' ? 'control' : 'record'), schema, schemaText }
})

const byName = new Map(ALL_CONTRACTS.map((contract) => [contract.fullName, contract]))
const byRole = new Map(ALL_CONTRACTS.map((contract) => [`${contract.stream} ${contract.role}`, contract]))

export function contractByName(fullName: string): Contract | undefined {
  return byName.get(fullName)
}

/** The contract of a record's version: the stub for the kinds that end a record, else the record. */
export function contractFor(stream: DataStream, kind: string): Contract {
  return byRole.get(`${stream} ${isEnding(kind) ? 'stub' : 'record'}`)!
}
