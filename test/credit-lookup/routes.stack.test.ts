import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { writeFile } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { start } from '@hub/credit-lookup'
import { callersYaml } from '@hub/local/local-files'
import { createMetrics } from '@hub/runtime/metrics'
import type { Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { documentOf, type Document, type Documented } from '../gateway/openapi.ts'
import { routesOf, type Route } from '../routes-of.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const KEYS = { publisher: 'test-publisher', reader: 'test-reader', operator: 'test-operator' }
const OPEN = ['GET /', 'GET /credit', 'GET /livez', 'GET /metrics', 'GET /openapi.json', 'GET /readyz', 'POST /credit']
/** A generated client names its functions by these. */
const OPERATIONS = {
  lookUpCredit: 'GET /v1/credit/{uscc}', searchCredit: 'GET /v1/credit/search', lookUpCreditBatch: 'POST /v1/credit/batch', followCredit: 'GET /v1/credit/changes', acknowledgeCredit: 'POST /v1/credit/changes/ack',
  readCreditSubscribers: 'GET /v1/credit/subscribers', forgetCreditSubscriber: 'DELETE /v1/credit/subscribers',
}
/** Answered where there is no operation, or before one is known. */
const ELSEWHERE = ['NOT_FOUND', 'HEADERS_TOO_LARGE', 'HEADERS_TOO_SLOW', 'HTTP_MALFORMED']
/** The lines of NDJSON are components that no schema of OpenAPI 3.1 can refer to. */
const LEFT_OUT = { 'no-unused-components': 'off' } as const

interface Asked { readonly role?: keyof typeof KEYS; readonly path: string; readonly body?: string; readonly type?: string; readonly status?: number }
const json = (body: unknown): Pick<Asked, 'body' | 'type'> => ({ body: JSON.stringify(body), type: 'application/json' })
/** One question, or more, for every operation; no replica and no source of lists is here. */
const WALK: Readonly<Record<string, readonly Asked[]>> = {
  'GET /livez': [{ path: '/livez' }], 'GET /readyz': [{ path: '/readyz' }], 'GET /metrics': [{ path: '/metrics' }], 'GET /openapi.json': [{ path: '/openapi.json' }],
  'GET /v1/credit/{uscc}': [
    { role: 'reader', path: '/v1/credit/91310000132260250X', status: 503 }, { role: 'reader', path: '/v1/credit/nonsense', status: 400 }, { role: 'reader', path: '/v1/credit/91310000132260250X?signed=true', status: 400 },
    { role: 'operator', path: '/v1/credit/91310000132260250X?asOf=2026-01-01T00:00:00Z', status: 503 }, { role: 'reader', path: '/v1/credit/110108000000016', status: 503 }, { role: 'reader', path: '/v1/credit/91310000132260250X?when=now', status: 400 },
  ],
  'GET /v1/credit/search': [{ role: 'reader', path: '/v1/credit/search?name=%E4%B8%8A%E6%B5%B7', status: 503 }],
  'POST /v1/credit/batch': [{ role: 'reader', path: '/v1/credit/batch', ...json({ codes: ['91310000132260250X'] }) }, { role: 'reader', path: '/v1/credit/batch', ...json({}), status: 400 }],
  'GET /v1/credit/changes': [{ role: 'reader', path: '/v1/credit/changes' }, { role: 'reader', path: '/v1/credit/changes?after=x', status: 400 }, { role: 'reader', path: `/v1/credit/changes?after=00000000${'.0'.repeat(12)}`, status: 410 }],
  'POST /v1/credit/changes/ack': [{ role: 'reader', path: '/v1/credit/changes/ack', ...json({ cursor: 'x' }), status: 400 }],
  'GET /v1/credit/subscribers': [{ role: 'operator', path: '/v1/credit/subscribers' }],
  'DELETE /v1/credit/subscribers': [{ role: 'operator', path: '/v1/credit/subscribers?caller=x&name=main', status: 404 }, { role: 'operator', path: '/v1/credit/subscribers', status: 400 }],
}

let fixture: Fixture
let lookup: Service & { readonly url: string }
let routes: Route[]
let documented: Documented
beforeAll(async () => {
  fixture = await openFixture()
  const stateDir = await fixture.stateDir()
  const callersFile = join(stateDir, 'callers.yaml')
  await writeFile(callersFile, callersYaml('ah', KEYS))
  const { username, password } = fixture.credentials('ah')
  const databaseUrl = await fixture.database()
  ;({ started: lookup, routes } = await routesOf(() => start({
    region: 'ah', username, password, callersFile, databaseUrl, stateDir, brokers: fixture.brokers, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, trustedProxies: [], signingKeyFile: null, snapshotSeconds: 600, host: '127.0.0.1', lookupPort: 0, logLevel: 'silent',
  }, { log: fixture.log, metrics: createMetrics({ region: 'ah' }), fail: (error) => { throw error }, wakeup: createWakeup() })))
  await eventually('the lookup is ready', async () => (await fetch(`${lookup.url}/readyz`)).status === 200)
  documented = documentOf(await (await fetch(`${lookup.url}/openapi.json`)).json() as Document)
})
afterAll(async () => {
  await lookup?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

describe('the document of the lookup', () => {
  test('is valid OpenAPI 3.1, and a linter finds nothing to say', async () => {
    expect(await new Validator().validate(structuredClone(documented.document) as unknown as Record<string, unknown>)).toMatchObject({ valid: true })
    const findings = await lintFromString({ source: JSON.stringify(documented.document), config: await createConfig({ extends: ['recommended'], rules: LEFT_OUT }) })
    expect(findings.map(({ ruleId, message, location: [at] }) => `${ruleId} ${at?.pointer}: ${message}`)).toEqual([])
  })

  test('has every route of the app, by names that stay', () => {
    expect(documented.routes()).toEqual(routes.filter(({ page }) => !page).map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`).sort())
    expect(Object.fromEntries(documented.operations().map(({ operation: { operationId }, route }) => [operationId, route]))).toMatchObject(OPERATIONS)
    const tags = new Set(documented.document.tags!.filter(({ description }) => description !== undefined).map(({ name }) => name))
    for (const { route, operation } of documented.operations()) {
      expect([route, operation.summary, operation.tags!.filter((tag) => !tags.has(tag))]).toEqual([route, expect.stringContaining(' · '), []])
      for (const { name, description } of operation.parameters ?? []) expect([route, name, description]).not.toContain(undefined)
    }
  })

  test('has an example of every JSON answer, each as its schema says', () => {
    const without = documented.operations().flatMap(({ route, operation }) => Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).filter(([media, { example, examples }]) => media.includes('json') && route !== 'GET /openapi.json' && example === undefined && examples === undefined).map(([media]) => `${route} ${status} ${media}`)))
    expect(without).toEqual([])
    expect(documented.badExamples()).toEqual([])
  })

  test('lists every problem that the code knows, and none that it does not', () => {
    const sources = ['services/credit-lookup', 'services/runtime'].flatMap((dir) => readdirSync(ROOT + dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('node_modules')).map((path) => readFileSync(join(ROOT, dir, path), 'utf8')))
    const known = sources.flatMap((text) => [...text.matchAll(/new Problem\(\s*\w+,\s*'([A-Z_]+)'/g)].map(([, code]) => code!))
    const told = documented.routes().flatMap((route) => Object.values(documented.codes(route)).flat())
    expect([...new Set(known)].filter((code) => !ELSEWHERE.includes(code)).sort()).toEqual([...new Set(told)].sort())
  })
})

test('every operation answers as the document says, nobody without a key, and no caller without the role', async () => {
  expect(documented.routes().filter((route) => WALK[route] === undefined)).toEqual([])
  for (const route of documented.routes()) {
    for (const { role, path, body, type, status = 200 } of WALK[route]!) {
      const ask = async (key: string | undefined): Promise<number> => {
        const stop = new AbortController()
        const response = await fetch(lookup.url + path, { method: route.split(' ')[0]!, signal: stop.signal, headers: { ...(key && { authorization: `Bearer ${key}` }), ...(type && { 'content-type': type }) }, ...(body && { body }) })
        const media = response.headers.get('content-type') ?? ''
        const read = media.startsWith('text/event-stream') ? stop.abort() : media.includes('json') && !media.includes('ndjson') ? await response.json() : await response.text()
        expect([path, documented.faults(route, response.status, media, read ?? '')]).toEqual([path, []])
        return response.status
      }
      expect([path, await ask(role === undefined ? undefined : KEYS[role])]).toEqual([path, status])
      if (role === undefined) continue
      expect([path, await ask(undefined), await ask('nobody'), await ask(KEYS.publisher)]).toEqual([path, 401, 401, 403])
      if (role === 'operator' && !route.includes('{uscc}')) expect([path, await ask(KEYS.reader)]).toEqual([path, 403])
    }
  }
  expect(routes.filter(({ access }) => access === 'open').map(({ method, url }) => `${method} ${url}`).sort()).toEqual(OPEN)
})
