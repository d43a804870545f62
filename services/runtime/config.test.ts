import { describe, expect, test } from 'vitest'
import { ConfigError, defineConfig } from './config.ts'

const config = defineConfig({
  region: { env: 'HUB_REGION', type: 'string', doc: 'region' },
  port: { env: 'HUB_PORT', type: 'int', default: 0, doc: 'port' },
  tls: { env: 'HUB_TLS', type: 'bool', default: false, doc: 'whether to encrypt' },
  every: { env: 'HUB_EVERY', type: 'duration', default: 2_000, doc: 'how often' },
  brokers: { env: 'HUB_BROKERS', type: 'list', doc: 'brokers' },
  registry: { env: 'HUB_REGISTRY', type: 'url', default: null, doc: 'registry' },
  database: { env: 'HUB_DATABASE', type: 'url', secret: true, doc: 'database' },
})
const good = { HUB_REGION: 'zj', HUB_BROKERS: 'a:1, b:2 ,', HUB_DATABASE: 'postgres://hub:secret@db/hub' }

test('settings come from the environment in their types, the others keep their defaults', () => {
  expect(config.read({ ...good, HUB_PORT: '4330', HUB_TLS: 'true', HUB_EVERY: '5m', HUB_REGISTRY: 'http://r/apis' })).toEqual({
    region: 'zj', port: 4330, tls: true, every: 300_000, brokers: ['a:1', 'b:2'], registry: 'http://r/apis', database: good.HUB_DATABASE,
  })
  expect(config.read(good)).toMatchObject({ port: 0, tls: false, every: 2_000, registry: null })
})

test('a setting with choices takes those alone, and its type is one of them', () => {
  const chosen = defineConfig({ region: { env: 'HUB_REGION', type: 'string', choices: ['north', 'south'], doc: 'region' } })
  const region: 'north' | 'south' = chosen.read({ HUB_REGION: 'south' }).region
  expect(region).toBe('south')
  expect(() => chosen.read({ HUB_REGION: 'east' })).toThrow('HUB_REGION must be one of north, south, not "east"')
})

test('an empty value counts as not given', () => {
  expect(config.read({ ...good, HUB_PORT: '', HUB_REGISTRY: '' })).toMatchObject({ port: 0, registry: null })
})

test.each([['250ms', 250], ['2s', 2_000], ['5m', 300_000], ['1h', 3_600_000], ['0s', 0]])('%s is %d ms', (text, ms) => {
  expect(config.read({ ...good, HUB_EVERY: text }).every).toBe(ms)
})

describe('problems', () => {
  test('all are reported together, by the names an operator sets', () => {
    const error = failure({ HUB_PORT: 'many', HUB_TLS: 'yes', HUB_EVERY: '5', HUB_REGISTRY: 'not a url' })
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.problems.map((problem) => problem.split(' ')[0])).toEqual(['HUB_REGION', 'HUB_PORT', 'HUB_TLS', 'HUB_EVERY', 'HUB_BROKERS', 'HUB_REGISTRY', 'HUB_DATABASE'])
    for (const problem of error.problems) expect(error.message).toContain(problem)
  })

  test.each([['HUB_PORT', '1.5'], ['HUB_PORT', '0x10'], ['HUB_PORT', '99999999999999999999'], ['HUB_TLS', 'TRUE'], ['HUB_EVERY', '-5s'], ['HUB_EVERY', '5 m'], ['HUB_BROKERS', ' , '], ['HUB_REGISTRY', 'localhost:8081']])('%s=%j is refused and the value shown', (name, value) => {
    expect(failure({ ...good, [name]: value }).problems).toEqual([expect.stringContaining(`"${value}"`)])
  })

  test('the value of a secret is never shown', () => {
    const error = failure({ ...good, HUB_DATABASE: 'hub:secret at db' })
    expect(error.problems).toEqual(['HUB_DATABASE must be a URL such as http://host:port'])
    expect(error.message).not.toContain('secret')
  })
})

function failure(env: NodeJS.ProcessEnv): ConfigError {
  try {
    config.read(env)
  } catch (error) {
    return error as ConfigError
  }
  throw new Error('was accepted')
}
