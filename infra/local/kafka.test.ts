import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pinned } from './artifacts.ts'
import { formatArguments, serverProperties } from './kafka.ts'

const properties = serverProperties({ dir: '/data/kafka', port: 19092, controllerPort: 19093, users: { admin: 'secret', zj: 'other' }, eager: false })

test('no listener lets anybody in without a password, and nobody but the admin is a super user', () => {
  expect(properties).toContain('listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT\n')
  expect(properties).toContain('super.users=User:admin\n')
  expect(properties).toContain('allow.everyone.if.no.acl.found=false\n')
})

test('every listener is on this machine only', () => {
  for (const match of properties.matchAll(/[A-Z]+:\/\/([^:]*):/g)) expect(match[1]).toBe('127.0.0.1')
})

test('a record of 2 MiB passes', () => {
  expect(properties).toContain('message.max.bytes=2097152\n')
})

test('the region passwords stand in no file: they are stored hashed by the format', () => {
  expect(properties).not.toContain('other')
})

test('versions come from the pom', () => {
  const pom = readFileSync(new URL('./jvm/pom.xml', import.meta.url), 'utf8')
  expect(pinned(pom, 'kafka')).toMatch(/^\d+\.\d+\.\d+$/)
  expect(() => pinned(pom, 'unknown')).toThrow(/unknown/)
})

test('a cluster id that begins with a dash is no option', () => {
  expect(formatArguments('-2f2XenBDM7i5qw6NyNhaw', '/data/kafka/server.properties')).toEqual(['--cluster-id=-2f2XenBDM7i5qw6NyNhaw', '--config', '/data/kafka/server.properties'])
})
