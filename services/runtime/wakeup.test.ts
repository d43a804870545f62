import { expect, test } from 'vitest'
import { createWakeup } from './wakeup.ts'

const LONG = 60_000

test('a signal wakes everybody who waits', async () => {
  const bell = createWakeup()
  const waiting = Promise.all([bell.wait(LONG), bell.wait(LONG)])
  bell.signal()
  await waiting
})

test('signals that nobody waits for wake the next one once: none is lost, none is kept twice', async () => {
  const bell = createWakeup()
  bell.signal()
  bell.signal()
  await bell.wait(LONG)
  const started = performance.now()
  await bell.wait(30)
  expect(performance.now() - started).toBeGreaterThanOrEqual(25)
})

test('waiting ends with the time or with the abort', async () => {
  const bell = createWakeup()
  await bell.wait(1)
  const stop = new AbortController()
  const waiting = bell.wait(LONG, stop.signal)
  stop.abort()
  await waiting
  await bell.wait(LONG, stop.signal)
})

test('who gave up waiting does not swallow the next signal', async () => {
  const bell = createWakeup()
  await bell.wait(1)
  bell.signal()
  await bell.wait(LONG)
})

test('an abort leaves a pending signal to the next one who waits', async () => {
  const bell = createWakeup()
  bell.signal()
  await bell.wait(LONG, AbortSignal.abort())
  await bell.wait(LONG)
})
