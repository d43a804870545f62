import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { sample } from '@hub/schemas/samples'
import { isDataStream, REGIONS } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { complaint } from './events.ts'
import { startGateway } from './gateway.ts'
import { brokenParameters, mutated } from './openapi-inputs.ts'
import { documentOf, PROBLEM, type Document, type Documented } from './openapi.ts'
import { compileAgainst } from './openapi-types.ts'
import { WALK } from './openapi-walk.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EVENTS = 'POST /v1/streams/{stream}/events'
/** Answered where there is no operation, before one is known, or by a page, which the document does not tell of. */
const ELSEWHERE = ['NOT_FOUND', 'HEADERS_TOO_LARGE', 'HEADERS_TOO_SLOW', 'HTTP_MALFORMED', 'IMPORT_FORM']
/** A generated client names its functions by these: one that goes or changes breaks it. */
const OPERATIONS = {
  isAlive: 'GET /livez', isReady: 'GET /readyz', readMetrics: 'GET /metrics', readOpenApi: 'GET /openapi.json',
  publishEvents: EVENTS, readReceipt: 'GET /v1/receipts/{eventId}', listVerdicts: 'GET /v1/verdicts',
  importFile: 'POST /v1/imports/{key}', listImports: 'GET /v1/imports', readImport: 'GET /v1/imports/{key}', confirmImport: 'POST /v1/imports/{id}/confirm', cancelImport: 'POST /v1/imports/{id}/cancel', revertImport: 'POST /v1/imports/{id}/revert',
  listStreams: 'GET /v1/streams', readRecords: 'GET /v1/streams/{stream}/records', readChanges: 'GET /v1/streams/{stream}/changes', readSnapshot: 'GET /v1/streams/{stream}/snapshot',
  readPosition: 'GET /v1/position', listParked: 'GET /v1/parked', readParked: 'GET /v1/parked/{topic}/{partition}/{offset}', listParkedOfOrigin: 'GET /v1/parked/origin',
  redriveParked: 'POST /v1/parked/redrives', readRedrive: 'GET /v1/parked/redrives/{id}', listSources: 'GET /v1/sources', handOver: 'POST /v1/sources/{id}/hand-over',
  eraseRecord: 'POST /v1/streams/{stream}/erasures', readArchive: 'GET /v1/streams/{stream}/archive',
}

/** The lines of NDJSON are components that no schema of OpenAPI 3.1 can refer to. */
const LEFT_OUT = { 'no-unused-components': 'off' } as const

let hub: Hub
let documented: Documented

beforeAll(async () => {
  hub = await openHub({ regions: ['zj'] })
  documented = documentOf(await (await fetch(`${hub.url('zj')}/openapi.json`)).json() as Document)
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

describe('the document', () => {
  test('is valid OpenAPI 3.1, and a linter finds nothing to say', async () => {
    expect(documented.document.openapi).toMatch(/^3\.1/)
    expect(await new Validator().validate(structuredClone(documented.document) as unknown as Record<string, unknown>)).toMatchObject({ valid: true })
    const findings = await lintFromString({ source: JSON.stringify(documented.document), config: await createConfig({ extends: ['recommended'], rules: LEFT_OUT }) })
    expect(findings.map(({ ruleId, message, location: [at] }) => `${ruleId} ${at?.pointer}: ${message}`)).toEqual([])
  })

  test('has every route of the app but the pages, and no other', async () => {
    const sources = [...sourcesOf('services/gateway'), ...sourcesOf('services/runtime')]
    const routes = new Set(sources.flatMap((text) => [...text.matchAll(/\bapp\.(get|post|put|patch|delete)(?:<[^(]*>)?\(\s*'([^']+)'/g)].map(([, method, url]) => `${method!.toUpperCase()} ${url!.replaceAll(/:(\w+)/g, '{$1}')}`)))
    const told = documented.routes()
    expect(told.filter((route) => !routes.has(route))).toEqual([])
    for (const route of [...routes].filter((one) => !told.includes(one) && one.startsWith('GET '))) {
      const page = await fetch(hub.url('zj') + route.slice('GET '.length), { redirect: 'manual' })
      expect([route, page.headers.get('location') ?? page.headers.get('content-type')]).toEqual([route, expect.stringMatching(/^(\/login\b|text\/html)/)])
    }
    expect([...routes].filter((route) => !told.includes(route) && !route.startsWith('GET '))).toEqual(['POST /import', 'POST /import/marked', 'POST /import/{id}/confirm', 'POST /import/{id}/cancel', 'POST /import/{id}/revert', 'POST /login', 'POST /logout'])
  })

  test('lists every problem that the code knows, by its code and status, and none that it does not', () => {
    const known = [...sourcesOf('services/gateway'), ...sourcesOf('services/runtime')].flatMap((text) => [...text.matchAll(/new Problem\(\s*\w+,\s*'([A-Z_]+)'/g)].map(([, code]) => code!))
    const told = documented.routes().flatMap((route) => Object.values(documented.codes(route)).flat())
    expect([...new Set(known)].filter((code) => !ELSEWHERE.includes(code)).sort()).toEqual([...new Set(told)].sort())
    for (const { route, operation } of documented.operations()) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) if (content[PROBLEM] !== undefined) expect([route, status, documented.codes(route)[status]]).not.toContain(undefined)
    }
  })

  test('names operations that stay, describes their tags, and asks for a key on each but health', () => {
    const tags = new Set(documented.document.tags!.filter(({ description }) => description !== undefined).map(({ name }) => name))
    for (const { route, operation } of documented.operations()) {
      expect({ route, ...operation }).toMatchObject({ route, operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/), summary: expect.stringContaining(' · '), security: operation.tags![0] === 'health' ? [] : [{ key: [] }] })
      expect(operation.tags!.filter((tag) => !tags.has(tag))).toEqual([])
      for (const { name, description } of operation.parameters ?? []) expect([route, name, description]).not.toContain(undefined)
    }
    expect(Object.fromEntries(documented.operations().map(({ operation: { operationId }, route }) => [operationId, route]))).toMatchObject(OPERATIONS)
  })

  test('has an example of every JSON answer, and each example is as its schema says', () => {
    const without = documented.operations().flatMap(({ route, operation }) => Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).filter(([media, { example, examples }]) => media.includes('json') && route !== 'GET /openapi.json' && example === undefined && examples === undefined).map(([media]) => `${route} ${status} ${media}`)))
    expect(without).toEqual([])
    expect(documented.badExamples()).toEqual([])
  })

  test('makes a typed client that knows what ours knows', async () => {
    expect(await compileAgainst(documented.document)).toBe('')
  })
})

test('the events that the document shows are accepted in the region that they name', async () => {
  const { examples } = documented.document.paths['/v1/streams/{stream}/events']!['post']!.requestBody!.content['application/json']!
  const contracts = ALL_CONTRACTS.filter(({ role }) => role === 'record' || role === 'stub')
  expect(Object.keys(examples!)).toEqual(contracts.map(({ schema }) => schema.name))
  for (const region of REGIONS) {
    await using gateway = await startGateway(hub.fixture, { region })
    for (const { stream, schema } of contracts.filter(({ schema: { name } }) => (examples![name]!.value as { region: string }).region === region)) {
      const { status, text } = await gateway.publish(stream, JSON.stringify(examples![schema.name]!.value), { query: '?dryRun=true' })
      expect({ name: schema.name, status, ...JSON.parse(text) }).toMatchObject({ name: schema.name, status: 200, verdict: 'accepted' })
    }
  }
})

describe('the implementation', () => {
  test('has something to ask of every operation', () => {
    expect(documented.routes().filter((route) => WALK[route] === undefined)).toEqual([])
  })

  test('answers every operation as the document says: what is asked rightly, without a key, with an unknown one, and in a role that it lacks', async () => {
    const verdict = await hub.publishOne('zj', 'complaint', complaint({ recordId: '12315-zj/walk' }))
    await eventually('the record in the replica', async () => (await hub.client('zj', 'reader').records('complaint', verdict.recordId!)).records.length > 0)
    for (const route of documented.routes()) {
      const { role, path, body, type, status = 200 } = WALK[route]!
      const target = path({ eventId: verdict.eventId!, recordId: verdict.recordId! })
      const ask = async (key: string | undefined): Promise<number> => {
        const [method] = route.split(' ')
        const stop = new AbortController()
        const response = await fetch(hub.url('zj') + target, { method: method!, signal: stop.signal, headers: { ...(key && { authorization: `Bearer ${key}` }), ...(type && { 'content-type': type }) }, ...(body && { body }) })
        const media = response.headers.get('content-type') ?? ''
        const read = media.startsWith('text/event-stream') ? stop.abort() : media.includes('json') && !media.includes('ndjson') ? await response.json() : await response.text()
        expect(documented.faults(route, response.status, media, read ?? '')).toEqual([])
        return response.status
      }
      expect([route, await ask(role === undefined ? undefined : hub.keys[role])]).toEqual([route, status])
      if (role === undefined) continue
      expect([route, await ask(undefined), await ask('nobody')]).toEqual([route, 401, 401])
      for (const other of ['publisher', 'reader', 'operator'] as const) expect([route, other, [status, 403].includes(await ask(hub.keys[other]))]).toEqual([route, other, true])
    }
  })

  test('refuses every parameter that the document refuses', async () => {
    for (const { route, operation } of documented.operations()) {
      const { role, path, body, type } = WALK[route]!
      if (role === undefined || (operation.parameters ?? []).length === 0) continue
      const good = new URL(path({ eventId: crypto.randomUUID(), recordId: 'a/1' }), hub.url('zj'))
      await fc.assert(fc.asyncProperty(brokenParameters(route, good, operation), async (url) => {
        const response = await calm(() => fetch(url, { method: route.split(' ')[0]!, headers: { authorization: `Bearer ${hub.keys[role]}`, ...(type && { 'content-type': type }) }, ...(body && { body }) }))
        const answer = await response.json()
        expect([url.href, response.status, documented.faults(route, response.status, response.headers.get('content-type')!, answer)]).toEqual([url.href, 400, []])
      }), { numRuns: 20 })
    }
  })

  test('refuses every event that the document refuses, and answers all others without a failure', async () => {
    const names = ALL_CONTRACTS.filter(({ role, stream }) => isDataStream(stream) && (role === 'record' || role === 'stub'))
    await fc.assert(fc.asyncProperty(fc.constantFrom(...names).chain((contract) => fc.record({ stream: fc.constant(contract.stream), events: fc.array(mutated({ ...sample(contract.fullName), region: 'zj' }), { minLength: 10, maxLength: 100 }) })), async ({ stream, events }) => {
      const { status, verdicts } = await rehearse(stream, events)
      expect(status).toBe(200)
      for (const [i, event] of events.entries()) if (documented.bodyFaults(EVENTS, 'application/json', event).length > 0) expect([verdicts[i]!.verdict, JSON.stringify(event)]).toEqual(['refused', JSON.stringify(event)])
    }), { numRuns: 150 })
  })
})

/** An answer of a gateway that is not overloaded: it shares this process and a busy machine. */
function calm(ask: () => Promise<Response>): Promise<Response> {
  return eventually('a gateway that is not overloaded', async () => {
    const response = await ask()
    return response.status === 503 ? undefined : response
  })
}

async function rehearse(stream: string, events: readonly unknown[]): Promise<{ status: number; verdicts: { verdict: string }[] }> {
  const response = await calm(() => hub.request('zj', 'publisher', `/v1/streams/${stream}/events?dryRun=true`, { body: JSON.stringify(events), type: 'application/json' }))
  return { status: response.status, ...await response.json() as { verdicts: { verdict: string }[] } }
}

function sourcesOf(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('node_modules')).map((name) => readFileSync(`${ROOT}${folder}/${name}`, 'utf8'))
}
