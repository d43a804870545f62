import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { keyHash } from './caller.ts'
import { keepCallers, parseCallers } from './callers.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'

const sha256 = (key: string): string => keyHash(key).toString('hex')

test('a caller is found by either of its keys, and by nothing else', () => {
  const byHash = parseCallers(
    `callers:
  - id: hangzhou
    organisation: 杭州市市场监督管理局
    roles: [publisher]
    sources: [zj12315]
    authorities: ['330100']
    keyHashes: [${sha256('old')}, ${sha256('new')}]
    requestsPerSecond: 50
  - {id: desk, organisation: 省局, roles: [reader, operator], keyHashes: [${sha256('desk')}]}
  - {id: gone, organisation: 省局, roles: [reader], keyHashes: [${sha256('gone')}], disabled: true}
`,
    'callers.yaml',
  )
  const callerOf = (key: string) => byHash(keyHash(key))
  expect(callerOf('old')?.id).toBe('hangzhou')
  expect(callerOf('new')).toMatchObject({ id: 'hangzhou', sources: ['zj12315'], authorities: ['330100'], requestsPerSecond: 50 })
  expect(callerOf('desk')).toMatchObject({ roles: ['reader', 'operator'], sources: [], authorities: [] })
  for (const key of ['', 'other', sha256('old'), 'gone']) expect(callerOf(key)).toBeUndefined()
})

test('every problem of the file is named at once, a key never', () => {
  const broken = `callers:
  - {id: a, organisation: x, roles: [publishr], keyHashes: [plain-key], disable: true}
  - {id: a, roles: reader, keyHashes: [${sha256('1')}, ${sha256('2')}, ${sha256('1')}], requestsPerSecond: 0, disabled: maybe}
`
  expect(() => parseCallers(broken, 'callers.yaml')).toThrow(new RegExp([
    'callers\\[0\\]\\.disable: .*not known', 'callers\\[0\\]\\.roles: publishr', 'callers\\[0\\]\\.keyHashes', 'callers\\[1\\]\\.roles', 'callers\\[1\\]\\.requestsPerSecond', 'callers\\[1\\]\\.disabled',
    'callers\\[1\\]\\.organisation', 'callers\\[1\\]\\.id: a stands twice', 'keyHashes: at most 2', 'keyHashes: the same key stands twice',
  ].join('.*'), 's'))
  expect(() => parseCallers(broken, 'callers.yaml')).not.toThrow(/plain-key/)
  expect(() => parseCallers('callers:\n  - {id: a, keyHashes: [plain-key}', 'callers.yaml')).toThrow(/^callers.yaml: (?!.*plain-key).*line 2/s)
  expect(() => parseCallers('callers: []', 'callers.yaml')).toThrow(/at least one caller/)
})

test('the file is read again when it changes, however it is written; a broken one changes nobody and is told until it is mended', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'yrd-hub-callers-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const path = join(dir, 'callers.yaml')
  const file = (...keys: string[]): string => `callers:\n${keys.map((key) => `  - {id: ${key}, organisation: x, roles: [reader], keyHashes: [${sha256(key)}]}`).join('\n')}\n`
  await writeFile(path, file('a', 'b'))
  const lines: string[] = []
  const metrics = createMetrics({})
  await using callers = await keepCallers(path, createLog({ service: 'test', destination: { write: (line) => { lines.push(line) } } }), metrics)
  const known = (): string[] => ['a', 'b', 'c'].filter((key) => callers.authenticate(keyHash(key)) !== undefined)
  const becomes = (keys: string[]): Promise<void> => vi.waitFor(() => expect(known()).toEqual(keys), { timeout: 10_000 })
  expect(known()).toEqual(['a', 'b'])

  await writeFile(`${path}.new`, file('b'))
  await rename(`${path}.new`, path)
  await becomes(['b'])

  await writeFile(path, 'callers:\n  - {id: a, keyHashes: [plain-key}')
  await vi.waitFor(() => expect(callers.health().ok).toBe(false), { timeout: 10_000 })
  expect([known(), callers.health().required]).toEqual([['b'], false])
  expect(await metrics.registry.metrics()).toMatch(/hub_callers_file_broken 1/)
  await rm(path)
  await vi.waitFor(() => expect(lines.join('')).toContain('ENOENT'), { timeout: 10_000 })
  expect(known()).toEqual(['b'])

  await writeFile(path, file('b', 'c'))
  await becomes(['b', 'c'])
  expect([callers.health().ok, lines.filter((line) => line.includes('not usable')).length]).toEqual([true, 2])
  expect(lines.join('')).not.toContain('plain-key')
  expect(await metrics.registry.metrics()).toMatch(/hub_callers_file_broken 0/)
})
