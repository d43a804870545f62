import specs from '@asyncapi/specs'
import { Ajv, type AnySchema } from 'ajv'
import formats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { allTopics } from '@hub/schemas/streams'
import { currentAsyncApi, renderAsyncApi } from './asyncapi.ts'

interface Channel { address: string, parameters: { region: { enum: string[] } }, messages: Record<string, { $ref: string }>, bindings: { kafka: { partitions: number } } }
interface Message { headers: object, examples: { headers: object, payload: Record<string, unknown> }[], bindings: { kafka: { key: object } }, payload: { schema: unknown } }

const document = parse(renderAsyncApi()) as { channels: Record<string, Channel>, components: { messages: Record<string, Message> } }
const addFormats = formats as unknown as (to: Ajv) => void
const ajv = new Ajv({ strict: false, allErrors: true })
addFormats(ajv)

test('docs/asyncapi.yaml is what catalogue, contracts and topics.yaml give; npm run generate writes it', () => {
  expect(currentAsyncApi()).toBe(renderAsyncApi())
})

test('it is valid AsyncAPI 3.0 by the schema of the specification', () => {
  // The schema of the specification brings draft-07's own.
  const official = new Ajv({ strict: false, allErrors: true, meta: false })
  addFormats(official)
  const validate = official.compile(specs.schemas['3.0.0'] as AnySchema)
  expect(validate(document) ? [] : validate.errors!.slice(0, 5)).toEqual([])
  expect(validate({ ...document, channels: { wrong: { address: 3 } } })).toBe(false)
})

test('its channels are the topics of the hub with their partitions, no more and no fewer', () => {
  const told = Object.values(document.channels).flatMap(({ address, parameters: { region }, bindings: { kafka } }) => region.enum.map((one) => [address.replace('{region}', one), kafka.partitions]))
  expect(told.sort()).toEqual(allTopics().map(({ topic, partitions }) => [topic, partitions]).sort())
})

test('every reference leads somewhere, and every contract is a message of the channels it stands in', () => {
  const named = Object.values(document.channels).flatMap(({ messages }) => Object.values(messages).map(({ $ref }) => $ref.replace('#/components/messages/', '')))
  expect(new Set(named)).toEqual(new Set(ALL_CONTRACTS.map(({ schema }) => schema.name)))
  expect(Object.keys(document.components.messages)).toEqual(ALL_CONTRACTS.map(({ schema }) => schema.name))
  for (const { schema, schemaText } of ALL_CONTRACTS) expect(JSON.stringify(document.components.messages[schema.name]!.payload.schema)).toBe(schemaText)
})

describe('the example of', () => {
  test.each(Object.entries(document.components.messages))('%s has the headers and the key that are told', (_name, { headers, examples: [example], bindings: { kafka: { key } } }) => {
    const validate = ajv.compile(headers)
    expect(validate(example!.headers) ? [] : validate.errors).toEqual([])
    if (example!.payload['recordId'] !== undefined) expect(ajv.validate(key, example!.payload['recordId'])).toBe(true)
  })
})
