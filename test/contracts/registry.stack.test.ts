import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { registerAll } from '@hub/cli/commands/schemas'
import { COMPATIBILITY, createRegistry } from '@hub/cli/registry'
import { createCodec } from '@hub/runtime/codec'
import { createLog } from '@hub/runtime/log'
import { ALL_CONTRACTS, contractByName, type Contract } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { toJson } from '@hub/schemas/record-json'
import { sampleRecord } from '@hub/schemas/samples'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

const { registryUrl } = inject('stack')
const registry = createRegistry(registryUrl)
const tally = contractByName('cn.yrd.tally.Tally')!
const log = createLog({ service: 'test', level: 'silent' })
let cacheDir: string

beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'hub-contracts-'))
  await registerAll(registryUrl)
})
afterAll(() => rm(cacheDir, { recursive: true, force: true }))

describe('registering', () => {
  test('every contract stands under its own subject, at the level that both old and new readers can rely on', async () => {
    const again = await registerAll(registryUrl)
    expect(again.map(({ subject, added }) => [subject, added])).toEqual(ALL_CONTRACTS.map(({ subject }) => [subject, false]))
    expect(new Set(again.map(({ id }) => id)).size).toBe(ALL_CONTRACTS.length)
    for (const { subject } of ALL_CONTRACTS) expect(await registry.compatibilityOf(subject), subject).toBe(COMPATIBILITY)
  })

  test('deployments at once agree: each contract gets one id and its level', async () => {
    const contracts = Array.from({ length: 5 }, own)
    const registered = await Promise.all(Array.from({ length: 4 }, () => Promise.all(contracts.map((contract) => registry.register(contract)))))
    const ids = registered.map((one) => one.map(({ id }) => id))
    expect(ids).toEqual(Array(4).fill(ids[0]))
    for (const { subject } of contracts) expect(await registry.compatibilityOf(subject), subject).toBe(COMPATIBILITY)
  })

  test('a new optional field is taken', async () => {
    const contract = own()
    await registry.register(contract)
    const { added } = await registry.register(changed(contract, (fields) => [...fields, { name: 'extra', type: ['null', 'string'], default: null }]))
    expect(added).toBe(true)
  })

  test.each<[string, (fields: Field[]) => Field[], string]>([
    ['a new field without default', (fields) => [...fields, { name: 'extra', type: 'string' }], 'extra'],
    ['a required field gone', (fields) => fields.filter(({ name }) => name !== 'tallyType'), 'tallyType'],
    ['another type', (fields) => fields.map((field) => (field.name === 'count' ? { ...field, type: 'string' } : field)), 'count'],
  ])('an incompatible change is refused with the field named, and leaves no version: %s', async (_what, change, field) => {
    const contract = own()
    const { id } = await registry.register(contract)
    const broken = changed(contract, change)
    expect((await registry.incompatibilities(broken)).join()).toMatch(new RegExp(`^version 1: ${field} `))
    await expect(registry.register(broken)).rejects.toThrow(field)
    expect(await registry.find(broken)).toBe(undefined)
    expect(await registry.find(contract)).toBe(id)
  })

  test('a change is held against every version, not against the last alone', async () => {
    const contract = own()
    const without = changed(contract, (fields) => fields.filter(({ name }) => name !== 'channel'))
    const other = changed(contract, (fields) => fields.map((field) => (field.name === 'channel' ? { name: 'channel', type: ['null', 'long'], default: null } : field)))
    await registry.register(contract)
    await registry.register(without)
    await expect(registry.register(other)).rejects.toThrow('channel')
  })
})

describe('the wire format', () => {
  test.each(ALL_CONTRACTS.map((contract) => [contract.fullName, contract] as const))('%s: what we write the public client reads, and the other way', async (fullName, contract) => {
    const client = new SchemaRegistry({ host: registryUrl })
    const codec = await createCodec({ registryUrl, cacheDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
    const writer = await codec.writer(fullName)
    const record = sampleRecord(fullName)

    const ours = writer.encode(record)
    expect(toJson(contract, await client.decode(ours) as object)).toEqual(toJson(contract, record))

    const theirs = await client.encode(writer.schemaId, record)
    expect(theirs).toEqual(ours)
    expect(await client.getLatestSchemaId(contract.subject)).toBe(writer.schemaId)
    expect(codec.decode(theirs)).toMatchObject({ ok: true, fullName })
  })

  test('an event written with a later version of its contract is read with ours', async () => {
    const contract = own()
    await registry.register(contract)
    const { id } = await registry.register(changed(contract, (fields) => [...fields, { name: 'extra', type: ['null', 'string'], default: null }]))
    const client = new SchemaRegistry({ host: registryUrl })
    const wire = await client.encode(id, { ...sampleRecord(tally.fullName), extra: 'later' })
    const codec = await createCodec({ registryUrl, cacheDir: await mkdtemp(join(cacheDir, 'fresh-')), contracts: ALL_CONTRACTS, guard: createGuard, log })
    const first = codec.decode(wire)
    if (!first.ok && first.reason === undefined) await first.pending
    const decoded = codec.decode(wire)
    if (!decoded.ok) expect.fail(decoded.reason ?? 'pending')
    expect(toJson(tally, decoded.record)).toEqual(toJson(tally, sampleRecord(tally.fullName)))
    expect(await client.decode(wire, { [SchemaType.AVRO]: { readerSchema: tally.schema as never } })).not.toHaveProperty('extra')
  })
})

interface Field { readonly name: string, readonly type: unknown, readonly default?: unknown }

/** The tally under a subject of this test alone: the registry is shared. */
function own(): Contract {
  return { ...tally, subject: `test-${randomBytes(6).toString('hex')}` }
}

function changed(contract: Contract, change: (fields: Field[]) => Field[]): Contract {
  return { ...contract, schemaText: JSON.stringify({ ...contract.schema, fields: change([...contract.schema.fields]) }) }
}
