import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFailpoints, readFailpoints, type FailpointPlan } from './failpoint.ts'

let dir: string
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'yrd-failpoint-')) })
afterAll(() => rmSync(dir, { recursive: true }))

const planOf = (plan: object): NodeJS.ProcessEnv => ({ HUB_TEST_PROCESS: 'true', HUB_FAILPOINTS: JSON.stringify(plan) })

test('off unless named, and refused outside tests', () => {
  expect(readFailpoints({})).toBeUndefined()
  expect(() => readFailpoints({ HUB_FAILPOINTS: '{}' })).toThrow('for tests alone')
})

test.each([
  ['no such place', { note: 'n', strikes: [{ point: 'relay.sleeping', at: 1, action: 'exit' }] }, 'relay.sleeping'],
  ['no pass', { note: 'n', strikes: [{ point: 'relay.read', at: 0, action: 'exit' }] }, '"at" of relay.read'],
  ['no such action', { note: 'n', strikes: [{ point: 'relay.read', at: 1, action: 'explode' }] }, 'explode'],
  ['no plan', {}, '{"note": file'],
])('a plan with %s is refused', (_name, plan, said) => {
  expect(() => readFailpoints(planOf(plan))).toThrow(said)
})

test('strikes at the n-th pass of the one it names, once, and notes it before', () => {
  const note = join(dir, 'note')
  const plan: FailpointPlan = { note, strikes: [{ point: 'db.commit-sent', of: 'relay', at: 2, action: 'throw' }] }
  const failpoint = createFailpoints(readFailpoints(planOf(plan))!)
  failpoint('db.commit-sent', 'gateway')
  failpoint('db.commit-sent', 'relay')
  failpoint('db.commit-answered', 'relay')
  expect(() => failpoint('db.commit-sent', 'relay')).toThrow('a test makes db.commit-sent fail')
  failpoint('db.commit-sent', 'relay')
  expect(readFileSync(note, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as object)).toEqual([{ ...plan.strikes[0], pid: process.pid }])
})

test.each([['exit', 'SIGKILL'], ['throw', null]] as const)('%s ends a process there: nothing behind it is done', (action, signal) => {
  const file = new URL('./failpoint.ts', import.meta.url).href
  const env = { ...process.env, ...planOf({ note: join(dir, action), strikes: [{ point: 'relay.read', at: 1, action }] }) }
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', `const { failpoint } = await import('${file}'); console.log('before'); failpoint('relay.read'); console.log('behind')`], { env, encoding: 'utf8' })
  expect(ended.stdout).toBe('before\n')
  expect(ended.signal).toBe(signal)
})
