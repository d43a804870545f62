import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rotateBeforeStart, rotateWhileRunning } from './log-file.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'yrd-hub-log-'))
  file = join(dir, 'zj.log')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a small log is gone on with, a large one put aside', () => {
  expect(rotateBeforeStart(file, 10)).toBe(0)
  appendFileSync(file, 'small')
  expect(rotateBeforeStart(file, 10)).toBe(5)
  appendFileSync(file, ' no more')
  expect(rotateBeforeStart(file, 10)).toBe(0)
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('small no more')
})

test('the log of a running process is cut when it is large, and what it writes next stands at its beginning', async () => {
  const held = openSync(file, 'a')
  writeSync(held, 'much too long\n')
  const stop = rotateWhileRunning(file, { limit: 10, lookMs: 5 })
  for (const deadline = performance.now() + 10_000; statSync(file).size > 0 && performance.now() < deadline;) await sleep(5)
  stop()
  writeSync(held, 'next\n')
  closeSync(held)
  expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['much too long\n', 'next\n'])
})
