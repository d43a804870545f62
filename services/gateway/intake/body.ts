import { Problem } from '@hub/runtime/http'
import type { IncomingMessage } from 'node:http'

/** A whole body of at most `limit` bytes that must be there within `deadlineMs`. */
export function readWhole(stream: IncomingMessage, limit: number, deadlineMs: number): Promise<Buffer> {
  if (Number(stream.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const timer = setTimeout(() => end(() => reject(tooSlow())), deadlineMs)
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > limit) end(() => reject(tooLarge(limit)))
      else chunks.push(chunk)
    }
    const onEnd = (): void => end(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    const onBreak = (): void => end(() => reject(brokenOff()))
    stream.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak)

    function end(how: () => void): void {
      clearTimeout(timer)
      stream.off('data', onData).off('end', onEnd).off('error', onBreak).off('close', onBreak).on('error', () => {})
      how()
    }
  })
}

/** How slow a sender may be while it is waited for: silent this long, and so few bytes in so long a time. */
export interface Patience {
  readonly idleMs: number
  readonly minBytes: number
  readonly perMs: number
}

/**
 * The chunks of a body as they are asked for. Throws when the sender is too slow while it is waited for (what the reader takes does not
 * count), when the body breaks off, and when `closing` fires; the connection stays, so that an answer can be given.
 */
export async function* readChunks(stream: IncomingMessage, { idleMs, minBytes, perMs }: Patience, closing: AbortSignal): AsyncGenerator<Buffer> {
  let waitedMs = 0
  let bytes = 0
  let wake = (): void => {}
  let broken = false
  const ring = (): void => wake()
  const onBreak = (): void => {
    broken = true
    wake()
  }
  stream.on('readable', ring).on('end', ring).on('error', onBreak).on('close', onBreak)
  closing.addEventListener('abort', ring)
  try {
    for (;;) {
      if (closing.aborted) throw new Problem(503, 'CLOSING', '网关正在停止，请稍后重发整个内容 · the gateway is stopping: send the whole body again', 'What was published before comes back as duplicate.')
      const chunk = stream.read() as Buffer | null
      if (chunk !== null) {
        bytes += chunk.length
        if (waitedMs >= perMs) {
          if (bytes < minBytes) throw tooSlow()
          waitedMs = 0
          bytes = 0
        }
        yield chunk
        continue
      }
      if (stream.readableEnded) return
      if (broken) throw brokenOff()
      let silent = false
      const since = performance.now()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          silent = true
          resolve()
        }, idleMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      waitedMs += performance.now() - since
      if (silent) throw tooSlow()
    }
  } finally {
    closing.removeEventListener('abort', ring)
    stream.off('readable', ring).off('end', ring).off('error', onBreak).off('close', onBreak).on('error', () => {})
  }
}

/** A body that is not read further although it goes on, and why. What was read of it counts. */
export class BodyStopped extends Error {
  override readonly name = 'BodyStopped'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.code)
    this.problem = problem
  }
}

/** The chunks of a body until, after one of them, `enough` gives a reason to stop. Throws `BodyStopped` then. */
export async function* untilEnough(chunks: AsyncIterable<Buffer>, enough: () => Problem | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk
    const problem = enough()
    if (problem !== undefined) throw new BodyStopped(problem)
  }
}

const DRAIN_MS = 60_000

/** Throws away what still comes of a body, so that its sender can read the answer; one that sends on for a minute is cut off. */
export function drain(stream: IncomingMessage): void {
  const until = performance.now() + DRAIN_MS
  stream.on('data', () => {
    if (performance.now() > until) stream.socket.destroy()
  })
}

function tooLarge(limit: number): Problem {
  return new Problem(413, 'BODY_TOO_LARGE', '内容过大 · the body is too large', `At most ${limit} bytes. Send many events as application/x-ndjson: its length is not limited.`)
}

function tooSlow(): Problem {
  return new Problem(408, 'BODY_TOO_SLOW', '等待内容超时 · the body did not come in time', 'Send it again; what was published before comes back as duplicate.')
}

function brokenOff(): Problem {
  return new Problem(400, 'BODY_BROKEN_OFF', '内容中断 · the body broke off', 'Send it again; what was published before comes back as duplicate.')
}
