import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { parseProcStat, processIdentity } from './process-identity.ts'

test('a process keeps its identity, and another one has another', async () => {
  const child = spawn('sleep', ['60'])
  try {
    await once(child, 'spawn')
    expect(processIdentity(child.pid!)).toBeDefined()
    expect(processIdentity(child.pid!)).toBe(processIdentity(child.pid!))
    expect(processIdentity(child.pid!)).not.toBe(processIdentity(process.pid))
  } finally {
    child.kill('SIGKILL')
  }
  await once(child, 'exit')
  expect(processIdentity(child.pid!)).toBeUndefined()
})

test('a command name with spaces and brackets does not shift the fields', () => {
  const stat = `4711 (a (b) c) S 1 4711 4711 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 812572 1000 10 18446744073709551615`
  expect(parseProcStat(stat)).toEqual({ state: 'S', startTicks: '812572' })
})
