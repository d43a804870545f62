import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { keyHash } from '@hub/runtime/caller'
import { parseCallers } from '@hub/runtime/callers'
import { beforeEach, expect, it } from 'vitest'
import { EXIT } from './failure.ts'
import { hub } from './index.ts'

const YAML = `# Who may call.
callers:
  # the hotline
  - id: zj-12315
    organisation: 浙江省 12315 平台 # a long remark that must not be wrapped, whatever the width of a line may be, by the tool that edits it
    roles: [publisher]
    sources: [zj-12315]
    authorities: ['*']
    keyHashes: []
  - id: zj-reader # the data centre
    organisation: 数据中心
    roles: [reader]
    keyHashes:
      - ${keyHash('first').toString('hex')}
`
let file: string

beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'yrd-hub-callers-')), 'callers.yaml')
  writeFileSync(file, YAML, { mode: 0o640 })
})

it('a new caller gets a key that the file does not hold, and everything else stays as it was, remarks too', async () => {
  const { exit, out } = await caller('add', 'zj-new', '--organisation', '杭州: 新系统 #1', '--role', 'publisher', '--role', 'reader', '--source', 'hz-1', '--source', 'hz-2', '--authority', '330100')
  const key = out.trim()
  expect([exit, key]).toEqual([EXIT.ok, expect.stringMatching(/^zj-new-[0-9a-f]{36}$/)])
  const text = readFileSync(file, 'utf8')
  expect(text.startsWith(YAML)).toBe(true)
  expect(text).not.toContain(key)
  expect(whoIs(key)).toMatchObject({ id: 'zj-new', organisation: '杭州: 新系统 #1', roles: ['publisher', 'reader'], sources: ['hz-1', 'hz-2'], authorities: ['330100'] })
  expect(readdirSync(join(file, '..'))).toEqual(['callers.yaml'])
  expect(statSync(file).mode & 0o777).toBe(0o640)
})

it('a rotation keeps exactly one older key valid, and none when it is finished', async () => {
  const second = (await caller('rotate', 'zj-reader')).out.trim()
  expect([whoIs('first')?.id, whoIs(second)?.id]).toEqual(['zj-reader', 'zj-reader'])
  const third = (await caller('rotate', 'zj-reader')).out.trim()
  expect([whoIs('first')?.id, whoIs(second)?.id, whoIs(third)?.id]).toEqual([undefined, 'zj-reader', 'zj-reader'])
  expect((await caller('rotate', 'zj-reader', '--finish')).exit).toBe(EXIT.ok)
  expect([whoIs(second)?.id, whoIs(third)?.id]).toEqual([undefined, 'zj-reader'])
  expect(await caller('rotate', 'zj-reader', '--finish')).toMatchObject({ exit: EXIT.validation, error: expect.stringContaining('No rotation') })
  expect(whoIs(third)?.id).toBe('zj-reader')
  expect(readFileSync(file, 'utf8')).toContain('# the data centre')
})

it('a caller without a key, as the deployed file has it, gets its first by a rotation', async () => {
  const key = (await caller('rotate', 'zj-12315')).out.trim()
  expect(whoIs(key)?.id).toBe('zj-12315')
})

it('a disabled caller has no key, keeps its place, and is not let in again by a rotation', async () => {
  expect((await caller('disable', 'zj-reader')).exit).toBe(EXIT.ok)
  expect(whoIs('first')).toBeUndefined()
  expect(JSON.parse((await caller('list', '--json')).out)).toMatchObject({ callers: [{ id: 'zj-12315', keys: 0, disabled: false }, { id: 'zj-reader', keys: 0, disabled: true }] })
  expect(await caller('rotate', 'zj-reader')).toMatchObject({ exit: EXIT.validation, error: expect.stringContaining('disabled') })
  expect(await caller('add', 'zj-reader', '--organisation', 'x', '--role', 'reader')).toMatchObject({ exit: EXIT.validation })
})

it.each([
  ['an unknown role', ['add', 'zj-x', '--organisation', 'x', '--role', 'king'], 'publisher, reader'],
  ['a publisher of nothing', ['add', 'zj-x', '--organisation', 'x', '--role', 'publisher', '--source', 'a'], '--authority'],
  ['a reader with sources', ['add', 'zj-x', '--organisation', 'x', '--role', 'reader', '--source', 'a'], 'publishers alone'],
  ['an id that is no name', ['add', 'Zj X', '--organisation', 'x', '--role', 'reader'], 'lower-case'],
  ['a caller that is not there', ['disable', 'nobody'], 'hub caller list'],
])('%s is refused with what would be right, and the file is left alone', async (_what, args, words) => {
  expect(await caller(...args)).toMatchObject({ exit: EXIT.validation, error: expect.stringContaining(words) })
  expect(readFileSync(file, 'utf8')).toBe(YAML)
})

it('a file that no gateway would take is not touched', async () => {
  writeFileSync(file, YAML.replace('roles: [reader]', 'rols: [reader]'))
  expect(await caller('disable', 'zj-12315')).toMatchObject({ exit: EXIT.validation, error: expect.stringContaining('callers[1].rols') })
  expect(readFileSync(file, 'utf8')).toContain('rols')
})

it('whose callers are meant must be said; the file of the local run comes before the deployed one', async () => {
  expect((await run(['caller', 'list'], {})).exit).toBe(EXIT.validation)
  const deployed = JSON.parse((await run(['caller', 'list', '--region', 'zj', '--json'], {})).out) as { file: string }
  expect(deployed.file).toMatch(/infra\/regions\/zj\/callers\.yaml$/)
  const local = join(file, '..', 'regions', 'zj', 'callers.yaml')
  mkdirSync(join(local, '..'), { recursive: true })
  writeFileSync(local, YAML)
  const found = JSON.parse((await run(['caller', 'list', '--region', 'zj', '--json'], { HUB_LOCAL_FILE: join(file, '..', 'local.json') })).out) as { file: string }
  expect(found.file).toBe(local)
})

function whoIs(key: string) {
  return parseCallers(readFileSync(file, 'utf8'), file)(keyHash(key))
}

function caller(...args: string[]): Promise<{ exit: number; out: string; error: string }> {
  return run(['caller', ...args, '--file', file], {})
}

async function run(args: string[], env: NodeJS.ProcessEnv): Promise<{ exit: number; out: string; error: string }> {
  let out = ''
  let error = ''
  const exit = await hub(args, { env: { HUB_LOCAL_FILE: '/nowhere/local.json', ...env }, stdin: Readable.from([]), write: (text) => { out += text }, writeError: (text) => { error += text }, onSignal: () => {} })
  return { exit, out, error }
}
