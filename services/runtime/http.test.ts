import { once } from 'node:events'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { keyHash } from './caller.ts'
import { HubError } from './errors.ts'
import { createHttp, Problem, type Caller, type Dependency, type HubHttp } from './http.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'

const reader: Caller = { id: 'desk', organisation: '省局', roles: ['reader'], sources: [], authorities: [] }
let http: HubHttp | undefined
let lines: string[] = []

afterEach(async () => {
  await http?.[Symbol.asyncDispose]()
  http = undefined
  lines = []
})

describe('access', () => {
  test('a route that does not say who may call it cannot be added', async () => {
    await expect(open((app) => { app.get('/secret', () => 'x') })).rejects.toThrow(/\/secret declares no access rule/)
  })

  test.each([
    ['no key', undefined, 401, 'KEY_MISSING'],
    ['a key nobody has', 'Bearer other', 401, 'KEY_UNKNOWN'],
    ['another scheme', 'Basic good', 401, 'KEY_MISSING'],
    ['a key without the role', 'Bearer good', 403, 'ROLE_MISSING'],
  ])('%s is turned away', async (_what, authorization, status, code) => {
    await open((app) => { app.get('/work', { config: { access: { roles: ['operator'] } } }, () => 'done') })
    const answer = await get('/work', authorization)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ status, code })
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  test('a caller with the role is known to the route; an open route asks nobody', async () => {
    await open((app) => {
      app.get('/mine', { config: { access: { roles: ['reader', 'operator'] } } }, (request) => ({ caller: request.caller?.id }))
      app.get('/open', { config: { access: 'open' } }, (request) => ({ caller: request.caller?.id ?? null }))
    })
    expect(await (await get('/mine', 'Bearer good')).json()).toEqual({ caller: 'desk' })
    expect(await (await get('/open')).json()).toEqual({ caller: null })
  })

  test('a key is asked for before the body is read', async () => {
    let parsed = false
    await open((app) => { app.post('/work', { config: { access: { roles: ['reader'] } }, preValidation: (_request, _reply, done) => { parsed = true; done() } }, () => 'done') })
    expect((await fetch(`${http!.url}/work`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: 'no json' })).status).toBe(401)
    expect(parsed).toBe(false)
  })
})

test('a character U+0000, which no database keeps, is refused wherever it stands', async () => {
  await open((app) => { app.post('/work/:id', { config: { access: 'open' } }, () => 'done') })
  const send = async (path: string, body: object): Promise<unknown> => (await fetch(http!.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status
  expect(await send('/work/1', { why: ['a', { b: 'c' }] })).toBe(200)
  expect([await send('/work/1', { why: ['a', { b: 'c\u0000' }] }), await send('/work/1', { 'a\u0000': 1 }), await send('/work/1?q=%00', {}), await send('/work/%00', {})]).toEqual([400, 400, 400, 400])
})

describe('problems (RFC 9457)', () => {
  test('one of ours keeps its status, code, words and extra fields', async () => {
    await open((app) => { app.get('/gone', { config: { access: 'open' } }, () => { throw new Problem(410, 'CURSOR_GONE', '游标已失效 · the cursor is gone', 'Start from a snapshot.', { snapshot: '/v1/snapshot' }) }) })
    const answer = await get('/gone')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([410, expect.stringContaining('application/problem+json')])
    expect(await answer.json()).toEqual({
      type: 'urn:yrd-hub:problem:cursor-gone', title: '游标已失效 · the cursor is gone', status: 410, code: 'CURSOR_GONE', detail: 'Start from a snapshot.',
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/), snapshot: '/v1/snapshot',
    })
  })

  test('a dependency that is down asks the caller to come again', async () => {
    await open((app) => { app.get('/down', { config: { access: 'open' } }, () => { throw new HubError('DB_TRANSIENT', 'connection to 10.0.0.1 lost', { retriable: true }) }) })
    const answer = await get('/down')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    expect(await answer.text()).not.toContain('10.0.0.1')
  })

  test('a fault of ours tells the caller nothing but where to look, and the log everything', async () => {
    await open((app) => { app.get('/fault', { config: { access: 'open' } }, () => { throw new Error('secret detail') }) })
    const answer = await get('/fault')
    const { code, instance } = await answer.json() as { code: string; instance: string }
    expect([answer.status, code]).toEqual([500, 'INTERNAL'])
    const logged = lines.filter((line) => line.includes('secret detail'))
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain(instance)
  })

  test.each([
    ['an address that is none', '/nowhere', {}, 404, 'NOT_FOUND'],
    ['a parameter that is missing', '/typed', {}, 400, 'REQUEST_INVALID'],
    ['a body that is no JSON', '/body', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }, 400, expect.any(String)],
    ['a body of another type', '/body', { method: 'POST', headers: { 'content-type': 'text/html' }, body: 'x' }, 415, 'MEDIA_TYPE'],
    ['a body that is too large', '/body', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify('x'.repeat(2_000)) }, 413, 'BODY_TOO_LARGE'],
  ])('%s', async (_what, path, init: RequestInit, status, code) => {
    await open((app) => {
      app.get('/typed', { config: { access: 'open' }, schema: { querystring: { type: 'object', required: ['recordId'], properties: { recordId: { type: 'string' } } } } }, () => 'x')
      app.post('/body', { config: { access: 'open' } }, () => 'x')
    })
    const answer = await fetch(http!.url + path, init)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ status, code })
  })
})

describe('health', () => {
  test('alive is not ready: what is down is named with what to do', async () => {
    let dependencies: Dependency[] = [{ name: 'database', ok: true }]
    await open(() => {}, () => Promise.resolve(dependencies))
    expect([(await get('/livez')).status, (await get('/readyz')).status]).toEqual([200, 200])
    dependencies = [{ name: 'database', ok: false, detail: 'no answer: start it' }]
    const answer = await get('/readyz')
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ status: 'not ready', dependencies })
    expect((await get('/livez')).status).toBe(200)
  })

  test('what callers can be served without is told and takes nobody out', async () => {
    const dependencies: Dependency[] = [{ name: 'database', ok: true }, { name: 'broker', ok: false, detail: 'no answer: start it', required: false }]
    await open(() => {}, () => Promise.resolve(dependencies))
    const answer = await get('/readyz')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ status: 'ready', dependencies })
  })

  test('a readiness that cannot be told is no readiness', async () => {
    await open(() => {}, () => Promise.reject(new Error('broken')))
    expect((await get('/readyz')).status).toBeGreaterThanOrEqual(500)
  })

  test('metrics are in the text format of Prometheus', async () => {
    await open(() => {})
    const answer = await get('/metrics')
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(await answer.text()).toContain('# TYPE hub_resident_memory_bytes gauge')
  })
})

test('OpenAPI 3.1 tells the routes and which of them need a key', async () => {
  await open((app) => {
    app.get('/v1/open', { config: { access: 'open' } }, () => 'x')
    app.get('/v1/closed', { config: { access: { roles: ['reader'] } } }, () => 'x')
  })
  const document = await (await get('/openapi.json')).json() as { openapi: string; paths: Record<string, { get: { security?: unknown } }> }
  expect(document.openapi).toMatch(/^3\.1/)
  expect(Object.keys(document.paths).sort()).toEqual(['/livez', '/metrics', '/openapi.json', '/readyz', '/v1/closed', '/v1/open'])
  expect(document.paths['/v1/closed']!.get.security).toEqual([{ key: [] }])
  expect(document.paths['/v1/open']!.get.security).toEqual([])
})

test('closing gives requests under way their answer', async () => {
  const gate = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  await open((app) => {
    app.get('/slow', { config: { access: 'open' } }, async () => {
      arrived.resolve()
      await gate.promise
      return 'done'
    })
  })
  const answer = get('/slow')
  await arrived.promise
  const closing = http![Symbol.asyncDispose]()
  gate.resolve()
  expect(await (await answer).text()).toBe('done')
  await closing
  http = undefined
})

test('more connections than there may be are closed at once, and counted', async () => {
  await open(() => {})
  const { server } = http!.app
  const limit = server.maxConnections
  const { port, hostname } = new URL(http!.url)
  const held = connect(Number(port), hostname)
  await once(server, 'connection')
  server.maxConnections = 1
  await once(connect(Number(port), hostname), 'close')
  server.maxConnections = limit
  const text = await (await get('/metrics')).text()
  held.destroy()
  expect(limit).toBe(4_096)
  expect(text).toMatch(/^hub_http_dropped_connections_total 1$/m)
  expect(text).toMatch(/^hub_http_connections 2$/m)
})

test('a collector sees what /readyz says, and nothing where a dependency cannot even be asked', async () => {
  let answer = (): Promise<readonly Dependency[]> => Promise.resolve([{ name: 'database', ok: true }, { name: 'broker', ok: false, required: false }])
  await open(() => {}, () => answer())
  expect(await (await get('/metrics')).text()).toMatch(/hub_ready 1\n[^]*hub_dependency_ok\{dependency="database"\} 1\nhub_dependency_ok\{dependency="broker"\} 0\n/)
  await http![Symbol.asyncDispose]()
  answer = () => Promise.resolve([{ name: 'database', ok: false }])
  await open(() => {}, () => answer())
  expect(await (await get('/metrics')).text()).toMatch(/^hub_ready 0$/m)
  await http![Symbol.asyncDispose]()
  answer = () => Promise.reject(new Error('asking failed'))
  await open(() => {}, () => answer())
  expect(await (await get('/metrics')).text()).not.toMatch(/^hub_dependency_ok\{/m)
})

async function open(routes: (app: FastifyInstance) => void, readiness: () => Promise<readonly Dependency[]> = () => Promise.resolve([])): Promise<void> {
  http = await createHttp({
    log: createLog({ service: 'test', destination: { write: (line) => { lines.push(line) } } }),
    metrics: createMetrics({}), title: 'test', host: '127.0.0.1', port: 0, bodyLimit: 1_000,
    authenticate: (hash) => (hash.equals(keyHash('good')) ? reader : undefined), readiness, routes,
  })
}

function get(path: string, authorization?: string): Promise<Response> {
  return fetch(http!.url + path, authorization === undefined ? {} : { headers: { authorization } })
}
