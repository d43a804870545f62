import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keyHash, type Caller } from './caller.ts'
import { createHttp, Problem, type HubHttp } from './http.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { html, page } from './page.ts'
import { ownPath } from './sign-in.ts'

const caller = (id: string, roles: Caller['roles']): Caller => ({ id, organisation: '<b>省局</b>', roles, sources: [], authorities: [] })
let http: HubHttp
let callers: Record<string, Caller>
let lines: string[]

beforeEach(async () => {
  lines = []
  callers = { 'key-reader': caller('desk', ['reader']), 'key-operator': caller('night', ['operator']), 'key-eager': { ...caller('eager', ['reader']), requestsPerSecond: 1 } }
  http = await createHttp({
    log: createLog({ service: 'test', destination: { write: (line) => { lines.push(line) } } }),
    metrics: createMetrics({}), title: 'test', host: '127.0.0.1', port: 0, readiness: () => Promise.resolve([]), sessionCookie: 'hub_test', home: '/open',
    authenticate: (hash) => Object.entries(callers).find(([key]) => keyHash(key).equals(hash))?.[1],
    routes(app) {
      app.get('/desk', { config: { access: { roles: ['reader'] }, page: { menu: '<工作台>' } } }, (request, reply) => page(request, reply, { title: '工作台', body: html`<p>${'<script>alert(1)</script>'}</p>` }))
      app.get('/night', { config: { access: { roles: ['operator'] }, page: { menu: '值班' } } }, (request, reply) => page(request, reply, { title: '值班', body: html`` }))
      app.get('/broken', { config: { access: { roles: ['reader'] }, page: {} } }, () => { throw new Problem(409, 'ODD', '奇怪 · odd', '<do this>') })
      app.get('/v1/me', { config: { access: { roles: ['reader'] } } }, (request) => ({ id: request.caller?.id }))
      app.post('/v1/act', { config: { access: { roles: ['reader'] } } }, () => ({ done: true }))
    },
  })
})

afterEach(() => http[Symbol.asyncDispose]())

describe('signing in', () => {
  test('the key opens pages and the interface by cookie, and the cookie is nobody else\'s to read or send', async () => {
    const answer = await login('key-reader', '/desk?day=1')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/desk?day=1'])
    const set = answer.headers.get('set-cookie')!
    expect(set).toMatch(/^hub_test=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
    const cookie = set.split(';')[0]!
    expect((await get('/desk', { cookie })).status).toBe(200)
    expect(await (await get('/v1/me', { cookie: `other=1; ${cookie}` })).json()).toEqual({ id: 'desk' })
  })

  test('a page without a session leads to the form and back; the interface says 401', async () => {
    const answer = await get('/desk?a=1&b=2')
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login?next=%2Fdesk%3Fa%3D1%26b%3D2'])
    expect(await (await get('/login?next=%2Fdesk%3Fa%3D1%26b%3D2')).text()).toContain('value="/desk?a=1&amp;b=2"')
    expect((await get('/v1/me')).status).toBe(401)
  })

  test('without a place to go on to, the first page that the caller may open', async () => {
    expect((await login('key-operator')).headers.get('location')).toBe('/night')
  })

  test('/ leads a stranger to the home page, and whoever is signed in to the first page of their menu', async () => {
    expect((await get('/')).headers.get('location')).toBe('/open')
    expect((await get('/', { cookie: (await login('key-operator')).headers.get('set-cookie')!.split(';')[0]! })).headers.get('location')).toBe('/night')
  })

  test('a wrong key gets the form again, with no cookie and not a word of the key', async () => {
    const answer = await login('key-wrong', '/desk')
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null])
    const text = await answer.text()
    expect(text).toContain('密钥无效')
    expect(text).not.toContain('key-wrong')
    expect(lines.join('')).not.toContain('key-wrong')
  })

  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/.//evil.example', 'desk', '', '/\t/evil.example'])('never leads away: %j', async (next) => {
    expect(ownPath(next)).toBeUndefined()
    expect((await login('key-reader', next)).headers.get('location')).toBe('/desk')
  })

  test('a session ends with its caller, with its key and when it is told to', async () => {
    const cookies = await Promise.all([1, 2].map(async () => (await login('key-reader')).headers.get('set-cookie')!.split(';')[0]!))
    const out = await fetch(`${http.url}/logout`, { method: 'POST', redirect: 'manual', headers: { cookie: cookies[0]!, origin: http.url } })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([303, expect.stringContaining('Max-Age=0')])
    expect((await get('/v1/me', { cookie: cookies[0]! })).status).toBe(401)
    expect((await get('/v1/me', { cookie: cookies[1]! })).status).toBe(200)
    delete callers['key-reader']
    expect((await get('/v1/me', { cookie: cookies[1]! })).status).toBe(401)
  })

  test.each([
    ['from a page of this host', { origin: 'own' }, 200],
    ['same-origin, as newer browsers say it', { 'sec-fetch-site': 'same-origin' }, 200],
    ['from another site', { origin: 'http://evil.example' }, 403],
    ['from another site, as newer browsers say it', { 'sec-fetch-site': 'cross-site', origin: 'own' }, 403],
    ['from nowhere', {}, 403],
    ['from an origin that hides itself', { origin: 'null' }, 403],
  ])('what changes something by cookie comes %s: %j', async (_where, headers: Record<string, string>, status) => {
    const cookie = (await login('key-reader')).headers.get('set-cookie')!.split(';')[0]!
    if (headers['origin'] === 'own') headers = { ...headers, origin: http.url }
    expect((await fetch(`${http.url}/v1/act`, { method: 'POST', headers: { cookie, ...headers } })).status).toBe(status)
    expect((await fetch(`${http.url}/v1/act`, { method: 'POST', headers: { authorization: 'Bearer key-reader' } })).status).toBe(200)
  })
})

describe('pages', () => {
  test('escape what is put into them, show the caller\'s own menu, and load and run nothing', async () => {
    const cookie = (await login('key-reader')).headers.get('set-cookie')!.split(';')[0]!
    const answer = await get('/desk', { cookie })
    const text = await answer.text()
    expect(text).toContain('<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>')
    expect(text).toContain('&lt;b&gt;省局&lt;/b&gt;')
    expect(text).toContain('<a href="/desk" aria-current="page">&lt;工作台&gt;</a>')
    expect(text).not.toContain('/night')
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /)
    expect(text).not.toMatch(/<script|<link|style=| src=/)
  })

  test('their problems are pages; a role that is missing is said, not asked to sign in for', async () => {
    const cookie = (await login('key-reader')).headers.get('set-cookie')!.split(';')[0]!
    for (const [path, status, words] of [['/broken', 409, '&lt;do this&gt;'], ['/night', 403, 'operator']] as const) {
      const answer = await get(path, { cookie })
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, status, 'text/html; charset=utf-8'])
      expect(await answer.text()).toContain(words)
    }
  })
})

describe('guessing', () => {
  test('an address that gave many wrong keys waits, whatever it gives; who came in from there before goes on', async () => {
    expect((await me('key-reader')).status).toBe(200)
    const first = await Promise.all(Array.from({ length: 30 }, (_, i) => me(`guess-${i}`)))
    expect(new Set(first.map(({ status }) => status))).toEqual(new Set([401]))
    const next = await me('guess-x')
    expect([next.status, Number(next.headers.get('retry-after'))]).toEqual([429, expect.closeTo(60, -2)])
    expect(await next.json()).toMatchObject({ code: 'TOO_MANY_WRONG_KEYS' })
    expect((await me('key-operator')).status).toBe(429)
    expect((await login('key-operator')).status).toBe(429)
    expect((await me('key-reader')).status).toBe(200)
  })
})

test('what a proxy says of the sender is believed where it is trusted, and nowhere else', async () => {
  const forwarded = { origin: http.url, 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' }
  const cookieOf = async (url: string): Promise<string> => (await fetch(`${url}/login`, { method: 'POST', redirect: 'manual', headers: { ...forwarded, origin: url }, body: new URLSearchParams({ key: 'key-reader' }) })).headers.get('set-cookie')!
  await using behind = await createHttp({
    log: createLog({ service: 'test', level: 'silent' }), metrics: createMetrics({}), title: 'test', host: '127.0.0.1', port: 0, readiness: () => Promise.resolve([]), sessionCookie: 'hub_test',
    trustedProxies: ['127.0.0.0/8'], authenticate: (hash) => Object.entries(callers).find(([key]) => keyHash(key).equals(hash))?.[1],
    routes: (app) => void app.get('/v1/me', { config: { access: { roles: ['reader'] } } }, () => 'me'),
  })
  expect([(await cookieOf(http.url)).includes('Secure'), (await cookieOf(behind.url)).includes('Secure')]).toEqual([false, true])
  const asking = (key: string, address: string): Promise<Response> => fetch(`${behind.url}/v1/me`, { headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': address } })
  for (let i = 0; i < 31; i++) await asking(`guess-${i}`, '198.51.100.1')
  expect([(await asking('key-reader', '198.51.100.1')).status, (await asking('key-reader', '198.51.100.2')).status]).toEqual([429, 200])
})

test('a caller that asks more often than it may is told how long to wait; another one is served', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => me('key-eager')))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(answers.filter(({ status }) => status === 200).length).toBe(50 - refused.length)
  expect(refused[0]!.headers.get('retry-after')).toBe('1')
  expect(await refused[0]!.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS', detail: expect.stringContaining('At most 1 a second') })
  expect((await me('key-reader')).status).toBe(200)
})

test('the access log tells who did what by the route, and nothing that was given', async () => {
  await me('key-reader')
  await fetch(`${http.url}/v1/me?recordId=31010119900101123X`, { headers: { authorization: 'Bearer key-unknown' } })
  await fetch(`${http.url}/v1/31010119900101123X`)
  await fetch(`${http.url}/livez`)
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ part }) => part === 'access')
  expect(logged).toMatchObject([
    { caller: 'desk', method: 'GET', route: '/v1/me', status: 200, ms: expect.any(Number), request: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    { caller: null, method: 'GET', route: '/v1/me', status: 401 },
    { caller: null, method: 'GET', route: null, status: 404 },
  ])
  expect(lines.join('')).not.toMatch(/31010119900101123X|key-unknown/)
})

function login(key: string, next?: string): Promise<Response> {
  return fetch(`${http.url}/login`, { method: 'POST', redirect: 'manual', headers: { origin: http.url }, body: new URLSearchParams({ key, ...(next !== undefined && { next }) }) })
}

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(http.url + path, { redirect: 'manual', headers })
}

function me(key: string): Promise<Response> {
  return get('/v1/me', { authorization: `Bearer ${key}` })
}
