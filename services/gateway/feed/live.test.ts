import type { ServerResponse } from 'node:http'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deliver, type LivePage } from './live.ts'
import { ReaderGone, send } from '@hub/runtime/send'
import { createSharedPages } from './shared-pages.ts'
import { createTipWatch } from './tip.ts'

const REPLICA = '5b0f4f0e-0d0c-4b1f-9a76-0c6f1f4d2a11'
const nothing = (change: number, tip: Partial<LivePage['tip']> = {}): LivePage => ({ next: change, upToDate: true, count: 0, bytes: Buffer.alloc(0), tip: { replica: REPLICA, change, floor: 0, ...tip } })
const ids = (text: string): string[] => [...text.matchAll(/^id: \S+-(\d+)$/gm)].map(([, change]) => change!)

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

function start(page: (after: number) => LivePage): { said: () => string; closing: AbortController; done: Promise<void> } {
  const to = new PassThrough()
  let text = ''
  to.on('data', (bytes: Buffer) => { text += bytes })
  const closing = new AbortController()
  const done = deliver(to as unknown as ServerResponse, { replica: REPLICA, change: 5 }, {
    page: async (after) => page(after), stallMs: 1_000, onDelivered: () => {}, closing: closing.signal,
    watch: { moved: (_seen, timeoutMs) => new Promise((resolve) => setTimeout(resolve, Math.min(timeoutMs, 4_000))) },
  })
  return { said: () => text, closing, done }
}

test('a reader of whom nothing is told moves on all the same: its cursor comes every 15 s', async () => {
  let change = 5
  const { said, closing, done } = start(() => nothing(change += 10))
  await vi.advanceTimersByTimeAsync(100)
  expect(ids(said())).toEqual(['5'])
  await vi.advanceTimersByTimeAsync(16_000)
  expect(ids(said())).toHaveLength(2)
  expect(Number(ids(said())[1])).toBeGreaterThan(30)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(ids(said())).toHaveLength(4)
  closing.abort()
  await vi.advanceTimersByTimeAsync(5_000)
  await done
  expect(said()).toMatch(/: .*Last-Event-ID\n\n$/)
})

test.each([['another replica', { replica: '00000000-0000-4000-8000-000000000000' }], ['a replica that has forgotten what came next', { floor: 6 }]])('%s ends the stream', async (_name, tip) => {
  const { said, done } = start(() => nothing(9, tip))
  await done
  expect(ids(said())).toEqual(['5'])
})

test('who does not take what is written in time is given up, and who has gone is known', async () => {
  const stuck = new Writable({ highWaterMark: 1, write() {} })
  const sending = send(stuck, 'x', 1_000)!
  const refused = expect(sending).rejects.toMatchObject({ name: 'ReaderGone', slow: true })
  await vi.advanceTimersByTimeAsync(1_001)
  await refused
  const leaving = send(new Writable({ highWaterMark: 1, write() { this.destroy() } }), 'x', 1_000)
  await expect(leaving).rejects.toMatchObject({ slow: false })
  expect(() => send(stuck.destroy(), 'x', 1_000)).toThrow(ReaderGone)
})

test('readers at the same place share a page until the replica moves; a page that failed or is on the way is not kept', async () => {
  const pages = createSharedPages()
  let reads = 0
  const read = async (): Promise<LivePage> => nothing(++reads)
  await Promise.all([pages.get('a', read), pages.get('a', read), pages.get('b', read)])
  await pages.get('a', read)
  expect(reads).toBe(2)
  pages.forget()
  await pages.get('a', read)
  expect(reads).toBe(3)
  await expect(pages.get('c', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  await expect(pages.get('c', read)).resolves.toMatchObject({ next: 4 })
  await pages.get('d', async () => ({ ...await read(), upToDate: false }))
  await pages.get('d', read)
  expect(reads).toBe(6)
})

test('the replica is looked at only while somebody waits; whoever is behind is woken, and everybody when it cannot be read', async () => {
  let change = 5
  let looks = 0
  let down = false
  const watch = createTipWatch(async () => {
    looks++
    if (down) throw new Error('down')
    return { replica: REPLICA, change }
  }, () => {})
  const never = new AbortController().signal
  const woken: string[] = []
  const wait = (name: string, seen: number): void => void watch.moved({ replica: REPLICA, change: seen }, 60_000, never).then(() => woken.push(name))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(looks).toBe(0)
  wait('at 5', 5)
  wait('at 6', 6)
  await vi.advanceTimersByTimeAsync(100)
  expect(woken).toEqual([])
  change = 6
  await vi.advanceTimersByTimeAsync(50)
  expect(woken).toEqual(['at 5'])
  down = true
  await vi.advanceTimersByTimeAsync(50)
  expect(woken).toEqual(['at 5', 'at 6'])
  await vi.advanceTimersByTimeAsync(2_000)
  const before = looks
  await vi.advanceTimersByTimeAsync(2_000)
  expect(looks).toBe(before)
})
