import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openLink, type Link } from './link.ts'

const HOST = '127.0.0.1'
let server: ReturnType<typeof createServer>
let port: number
let got: string
let link: Link

beforeEach(async () => {
  got = ''
  server = createServer((socket) => socket.on('error', () => {}).on('data', (bytes) => {
    got += bytes.toString('latin1')
    socket.write(bytes)
  })).listen(0, HOST)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  link = await openLink({ host: HOST, port })
})
afterEach(async () => {
  await link[Symbol.asyncDispose]()
  server.close()
})

test('a good link changes nothing', async () => {
  const client = open()
  client.socket.write('hello')
  await eventually('the echo', () => client.heard() === 'hello')
  expect(link.struck).toBe(0)
})

test.each([['delayed', { delayMs: 30 }], ['limited', { bytesPerSecond: 10_000 }], ['in slices', { sliceBytes: 7 }]])('%s: every byte comes, in order', async (_name, conditions) => {
  link.set(conditions)
  const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(8)
  const client = open()
  client.socket.write(text)
  await eventually('all of it', () => client.heard().length >= text.length)
  expect(client.heard()).toBe(text)
  expect(link.struck).toBeGreaterThan(0)
})

test('silent: nothing comes through, the connection stands, and what was held goes on', async () => {
  const client = open()
  client.socket.write('a')
  await eventually('the echo', () => client.heard() === 'a')
  link.set({ silent: true })
  client.socket.write('b')
  await eventually('it is held', () => link.struck > 0)
  expect(got).toBe('a')
  link.set({})
  await eventually('the echo', () => client.heard() === 'ab')
})

test('down: a new connection is refused, an old one ends with a reset', async () => {
  const old = open()
  old.socket.write('a')
  await eventually('the echo', () => old.heard() === 'a')
  link.set({ down: true })
  link.reset()
  const next = open()
  await Promise.all([old.ended, next.ended])
  expect(link.struck).toBe(2)
})

test('a commit is cut before the server has it, and the next one right after', async () => {
  link.set({ cutCommits: 1 })
  for (const text of ['1COMMIT\0', '2COMMIT\0']) {
    const client = open()
    client.socket.write(text)
    await client.ended
  }
  await eventually('the second one', () => got === '2COMMIT\0')
  expect(link.struck).toBe(2)
})

function open(): { socket: Socket, heard(): string, ended: Promise<unknown> } {
  const socket = connect(link.port, HOST)
  let heard = ''
  socket.on('data', (bytes) => { heard += bytes.toString('latin1') }).on('error', () => {})
  return { socket, heard: () => heard, ended: new Promise((resolve) => socket.once('close', resolve)) }
}
