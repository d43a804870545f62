import { serveChild } from '../child.ts'
import { openReader } from './sse.ts'

export interface FeedReadSettings {
  url: string
  key: string
  /** Changes that there are. */
  expected: number
}

export interface FeedReadResult {
  /** From the first change to the last. */
  seconds: number
  changes: number
  inOrder: boolean
}

/** One reader of a feed from its beginning. */
serveChild(async ({ url, key, expected }: FeedReadSettings) => {
  let changes = 0
  let last = 0
  let inOrder = true
  let began = 0
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const socket = await openReader(new URL('/v1/streams/complaint/changes', url), key, (change) => {
    if (changes++ === 0) began = performance.now()
    if (change <= last) inOrder = false
    last = change
    if (changes === expected) resolve()
  })
  const closed = new Promise((_, reject) => socket.once('close', () => reject(new Error(`the feed ended after ${changes} of ${expected} changes`))))
  closed.catch(() => {})
  await Promise.race([done, closed])
  const seconds = (performance.now() - began) / 1000
  socket.destroy()
  return { seconds, changes, inOrder } satisfies FeedReadResult
})
