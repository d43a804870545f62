import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { circles, importsOf, packageOf } from './imports.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const files = ['schemas', 'services', 'infra', 'test'].flatMap(sourcesBelow)
const product = files.filter(({ path }) => !isTest(path) && !path.startsWith('test/'))
const services = product.filter(({ path }) => path.startsWith('services/'))

describe('the arrows of docs/architecture.md', () => {
  it('schemas imports nothing of ours', () => {
    expect(arrows(product, 'schemas', (to) => to.startsWith('@hub/') && to !== '@hub/schemas')).toEqual([])
  })

  it('the runtime knows no domain: of the schemas it may use types alone', () => {
    expect(arrows(product, 'services/runtime', (to, typeOnly) => to.startsWith('@hub/') && to !== '@hub/runtime' && !(typeOnly && to === '@hub/schemas'))).toEqual([])
  })

  it('services meet on the log and in the database, never in an import; services/region alone composes them, connectors are a library of the gateway\'s and, for workbooks, of the credit lookup\'s, and what verifies an edition is one of `hub`', () => {
    const allowed = new Set(['@hub/runtime', '@hub/schemas'])
    const others = services.filter(({ path }) => !/^services\/(runtime|region|client)\//.test(path))
    expect(violations(others, ({ owner, to, specifier }) => to.startsWith('@hub/') && to !== owner && !allowed.has(to) && !(owner === '@hub/cli' && to === '@hub/client') && !(owner === '@hub/cli' && specifier.startsWith('@hub/announcer/edition/')) && !((owner === '@hub/gateway' || owner === '@hub/credit-lookup') && to === '@hub/connectors'))).toEqual([])
  })

  it('the client is for those outside: of ours it uses the types of the schemas alone, and nothing that Node does not bring', () => {
    expect(arrows(product, 'services/client', (to, typeOnly) => to !== '@hub/client' && !to.startsWith('node:') && !(to === '@hub/schemas' && typeOnly))).toEqual([])
  })

  it('no product code imports from infra or test', () => {
    expect(violations(services, ({ to }) => to === '@hub/local' || to === '@hub/test')).toEqual([])
    expect(arrows(product, 'schemas', (to) => to === '@hub/local' || to === '@hub/test')).toEqual([])
  })

  it('the launcher knows no service: what it starts, it starts as a process', () => {
    expect(arrows(product, 'infra/local', (to) => to.startsWith('@hub/') && to !== '@hub/local')).toEqual([])
  })

  it('only services/runtime/kafka imports kafkajs, only services/runtime/db imports pg', () => {
    expect(violations(product, ({ from, to }) => to === 'kafkajs' && !from.startsWith('services/runtime/kafka/'))).toEqual([])
    expect(violations(product, ({ from, to }) => to === 'pg' && !from.startsWith('services/runtime/db/'))).toEqual([])
  })

  it('only services/runtime makes HTTP servers, where a route without an access rule fails', () => {
    const made = services.filter(({ path, text }) => !path.startsWith('services/runtime/') && /\b(createServer|fastify)\(/i.test(text)).map(({ path }) => path)
    expect(made).toEqual([])
  })

  it('only services/runtime/thread.ts starts threads, where what V8 does wrong with several is kept away', () => {
    expect(services.filter(({ path, text }) => path !== 'services/runtime/thread.ts' && text.includes('new Worker(')).map(({ path }) => path)).toEqual([])
  })

  it('a package is entered by its name, never by a path', () => {
    expect(violations(files, ({ from, owner, specifier }) => specifier.startsWith('.') && owner !== packageOf(join(dirname(from), specifier)))).toEqual([])
  })

  it('no file reaches itself through what it imports, types included', () => {
    expect(circles(new Map(product.map(({ path, text }) => [path, importsOf(text).flatMap(({ specifier }) => (specifier.startsWith('.') ? [join(dirname(path), specifier)] : []))])))).toEqual([])
  })
})

describe('region is configuration', () => {
  it('no service compares with a region or names one', () => {
    const literal = /(['"`])(sh|js|zj|ah)\1/
    const found = services.flatMap(({ path, text }) => text.split('\n').flatMap((line, i) => (literal.test(withoutComments(line)) ? [`${path}:${i + 1} ${line.trim()}`] : [])))
    expect(found).toEqual([])
  })
})

describe('processes', () => {
  it('signals and exit codes have one owner per process', () => {
    const owners = ['services/runtime/service.ts', 'services/cli/index.ts', 'infra/local/stop-signal.ts']
    const found = services.filter(({ path, text }) => !owners.includes(path) && /process\.(on|once|exit)\(/.test(text)).map(({ path }) => path)
    expect(found).toEqual([])
  })

  it('a service shows its whole wiring on one screen', () => {
    const long = services.filter(({ path, text }) => /^services\/[^/]+\/index\.ts$/.test(path) && text.split('\n').length > 90).map(({ path }) => path)
    expect(long).toEqual([])
  })
})

interface Source { path: string, text: string }
interface Arrow { from: string, owner: string, specifier: string, to: string, typeOnly: boolean }

function arrows(among: Source[], folder: string, forbidden: (to: string, typeOnly: boolean) => boolean): string[] {
  return violations(among.filter(({ path }) => path.startsWith(`${folder}/`)), ({ to, typeOnly }) => forbidden(to, typeOnly))
}

function violations(among: Source[], forbidden: (arrow: Arrow) => boolean): string[] {
  return among.flatMap(({ path, text }) => importsOf(text)
    .map(({ specifier, typeOnly }) => ({ from: path, owner: packageOf(path), specifier, to: specifier.startsWith('.') ? packageOf(join(dirname(path), specifier)) : bareName(specifier), typeOnly }))
    .filter(forbidden)
    .map(({ specifier }) => `${path} → ${specifier}`))
}

/** `@hub/runtime/db` → `@hub/runtime`, `kafkajs/src/x` → `kafkajs`. */
function bareName(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

function isTest(path: string): boolean {
  return /\.(test|bench|suite)\.ts$/.test(path) || path.includes('/test/')
}

function withoutComments(line: string): string {
  return line.replace(/^\s*(\/\/|\/?\*).*$/, '').replace(/\s\/\/ .*$/, '')
}
