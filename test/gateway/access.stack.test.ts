import { hash } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROLES, type Role } from '@hub/runtime/caller'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { routesOf, type Route } from '../routes-of.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

/** What anybody may ask for: nothing of it tells more than that the gateway is there, what it speaks, and how it does. */
const OPEN = ['GET /', 'GET /codes', 'GET /livez', 'GET /readyz', 'GET /metrics', 'GET /openapi.json', 'GET /login', 'POST /login', 'POST /logout']

let fixture: Fixture
let gateway: TestGateway
let routes: Route[]

beforeAll(async () => {
  fixture = await openFixture()
  const { started, routes: found } = await routesOf(() => startGateway(fixture, { config: { trustedProxies: ['127.0.0.1'] } }))
  gateway = started
  routes = found
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const name = ({ method, url }: Route): string => `${method} ${url}`

let asked = 0

/** Each time from another address: one that gives wrong keys is shut out after some dozens. */
async function ask(route: Route, key?: string): Promise<Response> {
  const path = route.url.replace(':stream', 'complaint').replace(/:\w+/g, 'x').replace('*', 'x')
  const response = await fetch(gateway.url + path, { method: route.method, redirect: 'manual', headers: { 'x-forwarded-for': `198.51.100.${++asked % 250}`, ...(key !== undefined && { authorization: `Bearer ${key}` }) } })
  // A stream has no end to wait for.
  await response.body?.cancel()
  return response
}

test('every route says who may call it, and those that anybody may call are exactly these', () => {
  expect(routes.length).toBeGreaterThan(OPEN.length)
  expect(routes.filter(({ access }) => access === undefined)).toEqual([])
  expect(routes.filter(({ access }) => access === 'open').map(name).sort()).toEqual([...OPEN].sort())
})

test('every other route answers nobody without a key, and no caller without the role', async () => {
  for (const route of routes.filter(({ access }) => access !== 'open')) {
    const { roles } = route.access as { roles: readonly Role[] }
    const stranger = await ask(route)
    expect([name(route), stranger.status, stranger.headers.get('location')?.startsWith('/login?next=') ?? null])
      .toEqual(route.page && route.method === 'GET' ? [name(route), 303, true] : [name(route), 401, null])
    expect([name(route), (await ask(route, 'nobody')).status]).toEqual(route.page && route.method === 'GET' ? [name(route), 303] : [name(route), 401])
    for (const role of ROLES.filter((one) => one in KEYS && !roles.includes(one))) expect([name(route), role, (await ask(route, KEYS[role as keyof typeof KEYS])).status]).toEqual([name(route), role, 403])
    for (const role of roles.filter((one) => one in KEYS)) expect([name(route), role, [401, 403].includes((await ask(route, KEYS[role as keyof typeof KEYS])).status)]).toEqual([name(route), role, false])
  }
})

test('a refusal says which roles are missing and nothing of what there is', async () => {
  const answer = await gateway.get('/v1/parked', KEYS.reader)
  expect(answer.body).toEqual({ type: 'urn:yrd-hub:problem:role-missing', title: expect.any(String), status: 403, code: 'ROLE_MISSING', detail: 'One of these roles is needed: operator.', instance: expect.any(String) })
  // Whether there is such a record or not.
  for (const path of ['/v1/streams/complaint/records?recordId=a/1', '/v1/streams/complaint/records?recordId=b/2']) expect((await gateway.get(path, KEYS.publisher)).body).toMatchObject({ code: 'ROLE_MISSING' })
})

test('a caller that is disabled is out while the gateway runs, its sessions too', { timeout: 20_000 }, async () => {
  await using other = await startGateway(fixture, { region: 'ah' })
  const form = await fetch(`${other.url}/login`, { method: 'POST', redirect: 'manual', headers: { origin: other.url }, body: new URLSearchParams({ key: KEYS.reader, next: '/v1/position' }) })
  const cookie = form.headers.get('set-cookie')!.split(';')[0]!
  const bySession = async (): Promise<number> => (await fetch(`${other.url}/v1/streams/complaint/records?recordId=a/1`, { headers: { cookie } })).status
  expect([form.status, cookie.startsWith('hub_ah='), await bySession() === 401]).toEqual([303, true, false])
  const file = join(other.stateDir, 'callers.yaml')
  await writeFile(`${file}.new`, `callers:\n  - {id: reader, organisation: 测试, roles: [reader], disabled: true}\n  - {id: narrow, organisation: 测试, roles: [reader], keyHashes: [${hash('sha256', 'fresh', 'hex')}]}\n`)
  await rename(`${file}.new`, file)
  await eventually('the key is out', async () => (await other.get('/v1/streams/complaint/records?recordId=a/1', KEYS.reader)).status === 401)
  expect([await bySession(), (await other.get('/v1/position', 'fresh')).status === 401]).toEqual([401, false])
})

test('a broken file of callers changes nobody; /readyz says it and stays 200', { timeout: 20_000 }, async () => {
  await using other = await startGateway(fixture, { region: 'sh' })
  await writeFile(join(other.stateDir, 'callers.yaml'), 'callers: [')
  const readyz = async () => (await fetch(`${other.url}/readyz`)).json() as Promise<{ dependencies: { name: string; ok: boolean }[] }>
  await eventually('it is said', async () => (await readyz()).dependencies.some(({ name: one, ok }) => one === 'callers' && !ok))
  expect([(await fetch(`${other.url}/readyz`)).status, (await other.get('/v1/parked', KEYS.operator)).status === 401]).toEqual([200, false])
})
