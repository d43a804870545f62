import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { runCli } from './cli.ts'
import { CliFailure, EXIT } from './failure.ts'
import { clientOf } from './settings.ts'

it('help needs no settings and says every command in Chinese and English', async () => {
  const { exit, out } = await run(['--help'])
  expect(exit).toBe(EXIT.ok)
  expect(out).toContain('读一读 · read')
})

it('an unknown command, a missing argument and an unknown option are not valid: 2', async () => {
  expect(await run(['sing'])).toMatchObject({ exit: EXIT.validation })
  expect(await run(['read'])).toMatchObject({ exit: EXIT.validation })
  expect(await run(['read', 'a', '--loud'])).toMatchObject({ exit: EXIT.validation })
})

it('a failure ends with its own status and says itself in Chinese, then in English, without a stack', async () => {
  const { exit, error } = await run(['read', 'refused'])
  expect(exit).toBe(EXIT.validation)
  expect(error).toBe('不行\nno\n')
})

it('with --json a failure is JSON on standard output and nothing else is said', async () => {
  const { exit, out, error } = await run(['read', 'refused', '--json'])
  expect(exit).toBe(EXIT.validation)
  expect(JSON.parse(out)).toEqual({ error: { exit: 2, zh: '不行', en: 'no' } })
  expect(error).toBe('')
})

it('offsets beyond 2^53 are exact in JSON', async () => {
  const { out } = await run(['read', 'big', '--json'])
  expect(JSON.parse(out)).toEqual({ offset: '9007199254740993' })
})

it('a command that needs a part that nobody named ends with 3 and says what to set', async () => {
  const { exit, error } = await run(['read', 'gateway'], { HUB_LOCAL_FILE: '/nowhere/local.json', HUB_REGION: 'zj' })
  expect(exit).toBe(EXIT.environment)
  expect(error).toMatch(/HUB_GATEWAY_URL/)
})

it('an unknown region is refused with the ones there are', async () => {
  expect(await run(['read', 'settings'], { HUB_LOCAL_FILE: '/nowhere/local.json', HUB_REGION: 'bj' })).toMatchObject({ exit: EXIT.validation, error: expect.stringContaining('sh, js, zj, ah') as string })
})

it('a local.json that was cut off is named, not guessed at', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'yrd-hub-cli-')), 'local.json')
  writeFileSync(file, '{"regions": {')
  expect(await run(['read', 'settings'], { HUB_LOCAL_FILE: file })).toMatchObject({ exit: EXIT.environment, error: expect.stringContaining(file) as string })
})

it('a gateway that is not there ends with 3 and is named', async () => {
  const { exit, error } = await run(['read', 'gateway'], { HUB_LOCAL_FILE: '/nowhere/local.json', HUB_REGION: 'zj', HUB_GATEWAY_URL: 'http://127.0.0.1:1' })
  expect(exit).toBe(EXIT.environment)
  expect(error).toContain('http://127.0.0.1:1')
})

async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ exit: number, out: string, error: string }> {
  let out = ''
  let error = ''
  const exit = await runCli(args, { env, stdin: Readable.from([]), write: (text) => { out += text }, writeError: (text) => { error += text }, onSignal() {} }, (program, cli) => {
    cli.command(program, 'read', '读一读', 'read').argument('<what>').action(cli.action(async ({ settings, out: output }, [what]) => {
      if (what === 'refused') throw new CliFailure(EXIT.validation, '不行', 'no')
      if (what === 'big') output.result({ offset: 9007199254740993n }, () => '')
      if (what === 'settings') settings()
      if (what === 'gateway') await clientOf(settings(), 'zj', 'reader').position()
    }))
  })
  return { exit, out, error }
}
