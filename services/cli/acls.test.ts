import { expect, it } from 'vitest'
import { allTopics, REGIONS, topicsOf } from '@hub/schemas/streams'
import { aclsOfRegion } from './acls.ts'

const acls = aclsOfRegion('zj', 'User:zj', allTopics(), '')

it('a region writes its own topics, named one by one, and no other', () => {
  const written = acls.filter(({ operations }) => operations.includes('write'))
  expect(written.map(({ name }) => name).sort()).toEqual(topicsOf('zj').map(({ topic }) => topic).sort())
  expect(written.every(({ resource, pattern }) => resource === 'topic' && pattern === 'literal')).toBe(true)
})

it('a region reads every topic of every region', () => {
  const read = acls.filter(({ resource, operations }) => resource === 'topic' && operations.includes('read')).map(({ name }) => name)
  expect(read.sort()).toEqual(REGIONS.flatMap((region) => topicsOf(region)).map(({ topic }) => topic).sort())
})

it('a region has the consumer groups that begin with its name, and none else', () => {
  expect(acls.filter(({ resource }) => resource === 'group').map(({ name, pattern }) => `${pattern} ${name}`)).toEqual(['prefixed zj.'])
})
