import { keyHash } from '@hub/runtime/access'
import { expect, test } from 'vitest'
import { allows, parseCallers } from './callers.ts'

const sha256 = (key: string): string => keyHash(key).toString('hex')

test('a caller is found by any of its keys, and by nothing else', () => {
  const byHash = parseCallers(
    `callers:
  - id: hangzhou
    organisation: 杭州市市场监督管理局
    roles: [publisher]
    sources: [zj12315]
    authorities: ['330100']
    keyHashes: [${sha256('old')}, ${sha256('new')}]
  - {id: desk, organisation: 省局, roles: [reader, operator], keyHashes: [${sha256('desk')}]}
`,
    'callers.yaml',
  )
  const callerOf = (key: string) => byHash(keyHash(key))
  expect(callerOf('old')?.id).toBe('hangzhou')
  expect(callerOf('new')).toMatchObject({ id: 'hangzhou', sources: ['zj12315'], authorities: ['330100'] })
  expect(callerOf('desk')).toMatchObject({ roles: ['reader', 'operator'], sources: [], authorities: [] })
  for (const key of ['', 'other', sha256('old')]) expect(callerOf(key)).toBeUndefined()
})

test('every problem of the file is named at once, a key never', () => {
  const broken = `callers:
  - {id: a, organisation: x, roles: [publishr], keyHashes: [plain-key]}
  - {id: a, roles: reader, keyHashes: []}
`
  expect(() => parseCallers(broken, 'callers.yaml')).toThrow(
    /callers\[0\]\.roles: publishr.*callers\[0\]\.keyHashes.*callers\[1\]\.roles.*callers\[1\]\.organisation.*callers\[1\]\.id: a stands twice/s,
  )
  expect(() => parseCallers(broken, 'callers.yaml')).not.toThrow(/plain-key/)
  expect(() => parseCallers('callers: []', 'callers.yaml')).toThrow(/at least one caller/)
})

test('a list names a value itself or by *', () => {
  expect(allows(['zj12315'], 'zj12315')).toBe(true)
  expect(allows(['*'], 'anything')).toBe(true)
  expect(allows([], 'zj12315')).toBe(false)
  expect(allows(['zj12315'], 'zj')).toBe(false)
})
