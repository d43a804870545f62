import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { childEnv } from './child-env.ts'
import { callersYaml, sourcesYaml } from './local-files.ts'

const keys = { publisher: 'zj-publisher-1', reader: 'zj-reader-2', operator: 'zj-operator-3' }

it('the file of callers holds a hash of every key and no key', () => {
  const text = callersYaml('zj', keys)
  for (const key of Object.values(keys)) {
    expect(text).not.toContain(key)
    expect(text).toContain(createHash('sha256').update(key).digest('hex'))
  }
})

it('each local caller has one role, and only the publisher may write', () => {
  const { callers } = parse(callersYaml('zj', keys)) as { callers: { roles: string[], sources?: string[] }[] }
  expect(callers.map(({ roles, sources }) => [roles, sources])).toEqual([[['publisher'], ['*']], [['reader'], undefined], [['operator'], undefined]])
})

it('the local sources are the deployed ones, with the local publisher as their caller', () => {
  const deployed = 'sources: [{id: zj-12315, owner: 指挥中心, contact: "12315", caller: zj-12315}]'
  expect(parse(sourcesYaml(deployed, 'zj'))).toEqual({ sources: [{ id: 'zj-12315', owner: '指挥中心', contact: '12315', caller: 'zj-local-publisher' }] })
})

it('what the environment names for the launcher does not reach the services', () => {
  const env = childEnv({ HUB_REGION: 'zj' }, { PATH: '/bin', HUB_DATABASE_URL: 'postgres://admin@elsewhere/postgres', HUB_KAFKA_PASSWORD: 'x', HUB_LOG_LEVEL: 'debug' })
  expect(env).toMatchObject({ PATH: '/bin', HUB_REGION: 'zj', HUB_LOG_LEVEL: 'debug' })
  expect(Object.keys(env).filter((name) => name.startsWith('HUB_')).sort()).toEqual(['HUB_LOG_LEVEL', 'HUB_REGION'])
})
