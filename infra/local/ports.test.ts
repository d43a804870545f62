import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { assertPortsFree, listeningInodes, randomPorts } from './ports.ts'

test('a busy port is named with what it is for and who holds it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const problem = assertPortsFree([{ name: 'Kafka', port }])
    await expect(problem).rejects.toMatchObject({ code: 'PORT_BUSY' })
    await expect(problem).rejects.toThrow(`端口 ${port}（Kafka）已被占用`)
    await expect(problem).rejects.toThrow(`pid ${process.pid}`)
  } finally {
    server.close()
  }
})

test('random ports are four different free ones', async () => {
  const ports = Object.values(await randomPorts())
  expect(new Set(ports).size).toBe(4)
  await assertPortsFree(ports.map((port) => ({ name: 'any', port })))
})

test('listening sockets are read from /proc/net/tcp, connections on the same port are not', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4A94 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 52311 1 0000000000000000 100 0 0 10 0
   1: 0100007F:4A94 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 60001 1 0000000000000000 20 4 30 10 -1`
  expect(listeningInodes(table, 19092)).toEqual(['52311'])
  expect(listeningInodes(table, 19093)).toEqual([])
})
