import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Problem } from '@hub/runtime/http'
import { readChunks, readWhole, untilEnough, type Patience } from './body.ts'

let server: Server | undefined
afterEach(() => server?.close().closeAllConnections())

test('a whole body is read; one beyond the limit, too slow or broken off is not', async () => {
  expect(await outcome((body) => readWhole(body, 10, 1000), (sender) => sender.end('0123456789'))).toEqual(Buffer.from('0123456789'))
  expect(await outcome((body) => readWhole(body, 10, 1000), (sender) => sender.end(''))).toEqual(Buffer.alloc(0))
  expect(await outcome((body) => readWhole(body, 9, 1000), (sender) => sender.end('0123456789'))).toMatchObject({ code: 'BODY_TOO_LARGE' })
  expect(await outcome((body) => readWhole(body, 9, 1000), (sender) => {
    sender.write('01234')
    sender.write('56789')
  })).toMatchObject({ code: 'BODY_TOO_LARGE' })
  expect(await outcome((body) => readWhole(body, 10, 60), (sender) => sender.write('0'))).toMatchObject({ code: 'BODY_TOO_SLOW' })
  expect(await outcome((body) => readWhole(body, 10, 1000), (sender) => sender.write('0', () => sender.destroy()))).toMatchObject({ code: 'BODY_BROKEN_OFF' })
})

test('chunks come as they are asked for, in order', async () => {
  const sent = Buffer.alloc(3_000_000, 'abcdefg')
  expect(sent.equals(await outcome(collect(1000), (sender) => sender.end(sent)) as Buffer)).toBe(true)
})

test('a sender that says nothing for too long, breaks off, or is there when the gateway closes ends the body with a problem', async () => {
  expect(await outcome(collect(60), (sender) => sender.write('x'))).toMatchObject({ code: 'BODY_TOO_SLOW' })
  expect(await outcome(collect(1000), (sender) => sender.write('x', () => sender.destroy()))).toMatchObject({ code: 'BODY_BROKEN_OFF' })
  const closing = new AbortController()
  expect(await outcome(collect(1000, closing.signal), (sender) => sender.write('x', () => closing.abort()))).toMatchObject({ code: 'CLOSING', status: 503 })
})

test('a sender that keeps on saying next to nothing ends the body with a problem; one that pauses and then goes on does not', async () => {
  const trickle = (bytes: number) => (sender: ReturnType<typeof request>) => {
    const writing = setInterval(() => sender.write('x'.repeat(bytes)), 10)
    setTimeout(() => sender.end(), 400)
    sender.on('close', () => clearInterval(writing)).on('finish', () => clearInterval(writing))
  }
  const read = async (body: IncomingMessage): Promise<Buffer> => {
    let last: Buffer = Buffer.alloc(0)
    for await (const chunk of readChunks(body, { idleMs: 10_000, minBytes: 1_000, perMs: 100 }, new AbortController().signal)) last = chunk
    return last
  }
  expect(await outcome(read, trickle(1))).toMatchObject({ code: 'BODY_TOO_SLOW' })
  expect(await outcome(read, trickle(10_000))).toBeInstanceOf(Buffer)
})

test('a body is read until there is a reason to stop, and what was read before counts', async () => {
  const reasons = [undefined, new Problem(413, 'ENOUGH', '够了 · enough')]
  const read: string[] = []
  const source = (async function* () { yield* ['a', 'b', 'c'].map((one) => Buffer.from(one)) })()
  await expect((async () => { for await (const chunk of untilEnough(source, () => reasons.shift())) read.push(String(chunk)) })()).rejects.toMatchObject({ name: 'BodyStopped', problem: { code: 'ENOUGH' } })
  expect(read).toEqual(['a', 'b'])
})

test('a reader that is busy does not count as a silent sender', async () => {
  const slowly = async (body: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = []
    for await (const chunk of readChunks(body, patient(100), new AbortController().signal)) {
      chunks.push(chunk)
      if (chunks.length === 1) await new Promise((resolve) => setTimeout(resolve, 250))
    }
    return Buffer.concat(chunks)
  }
  const sent = Buffer.alloc(500_000, 'x')
  expect(sent.equals(await outcome(slowly, (sender) => sender.end(sent)) as Buffer)).toBe(true)
})

function patient(idleMs: number): Patience {
  return { idleMs, minBytes: 0, perMs: 1_000 }
}

function collect(idleMs: number, closing: AbortSignal = new AbortController().signal): (body: IncomingMessage) => Promise<Buffer> {
  return async (body) => {
    const chunks: Buffer[] = []
    for await (const chunk of readChunks(body, patient(idleMs), closing)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
}

/** What reading a real request gives, or its problem. */
async function outcome(read: (body: IncomingMessage) => Promise<Buffer>, send: (sender: ReturnType<typeof request>) => unknown): Promise<unknown> {
  server?.close().closeAllConnections()
  const { promise, resolve } = Promise.withResolvers<unknown>()
  server = createServer((incoming, answer) => {
    read(incoming).then(resolve, resolve).finally(() => answer.end())
  })
  await new Promise<void>((listening) => server!.listen(0, '127.0.0.1', listening))
  const sender = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST' })
  sender.on('error', () => {})
  send(sender)
  const seen = await promise
  sender.destroy()
  return seen
}
