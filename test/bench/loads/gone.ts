import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sample } from '@hub/schemas/samples'
import { serveChild } from '../child.ts'
import { exchange, percentile, requestText } from '../load.ts'

export interface GoneSettings {
  readonly region: string
  readonly gateway: string
  readonly publisher: string
  readonly lookups: readonly string[]
  readonly reader: string
  /** Numbers of the records, each listed before, in the order of their repairs. */
  readonly from: number
  readonly count: number
  /** The first so many do not count. */
  readonly warmUp: number
  readonly perSecond: number
}

export interface GoneResult { readonly p50: number, readonly p99: number, readonly statuses: Record<string, number> }

const SEEN_WITHIN_MS = 15_000

export function goneId(region: string, n: number): string {
  return `${region}-credit/gone-${n}`
}

/**
 * Repairs at a rate; the time of each runs from when it was due until all lookups have told their subscribers to stop. One process sends and sees, so that
 * one clock measures.
 */
serveChild(async ({ region, gateway, publisher, lookups, reader, from, count, warmUp, perSecond }: GoneSettings): Promise<GoneResult> => {
  const url = new URL('/v1/streams/credit-blacklist/events', gateway)
  const { eventId: _, ...stub } = sample('cn.yrd.credit_blacklist.CreditRecordEnded') as { eventId: string }
  const requests = Array.from({ length: count }, (_, n) => requestText(url, publisher, JSON.stringify({ ...stub, region, recordId: goneId(region, from + n), version: 2, kind: 'repair' })))
  const due = new Float64Array(count)
  const missing = new Uint8Array(count).fill(lookups.length)
  const took: number[] = []
  const statuses: Record<string, number> = {}
  let everywhere = 0
  const sockets = await Promise.all(lookups.map((lookup, n) => follow(new URL(`${lookup}/v1/credit/changes?name=gone-${n}`), reader, (number) => {
    const at = number - from
    if (!(at >= 0 && at < count) || --missing[at]! > 0) return
    everywhere++
    if (at >= warmUp) took.push(performance.now() - due[at]!)
  })))
  const idle: Socket[] = []
  const failed = Promise.withResolvers<never>()
  const send = async (n: number): Promise<void> => {
    const socket = idle.pop() ?? await open(url)
    const status = await exchange(socket, requests[n]!)
    statuses[status] = (statuses[status] ?? 0) + 1
    idle.push(socket)
  }
  const began = performance.now() + 50
  const sending = (async () => {
    for (let n = 0; n < count;) {
      for (const now = performance.now(); n < count && began + n * 1000 / perSecond <= now; n++) {
        due[n] = began + n * 1000 / perSecond
        send(n).catch(failed.reject)
      }
      await sleep(1)
    }
    const deadline = performance.now() + SEEN_WITHIN_MS
    while (everywhere < count && performance.now() < deadline) await sleep(20)
  })()
  await Promise.race([sending, failed.promise])
  for (const socket of [...sockets, ...idle]) socket.destroy()
  if (everywhere < count) throw new Error(`${count - everywhere} of ${count} repairs were not told everywhere within ${SEEN_WITHIN_MS} ms; answers: ${JSON.stringify(statuses)}`)
  const sorted = took.sort((a, b) => a - b)
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), statuses }
})

/** Reads the changes on a raw socket; resolves with the first heartbeat. */
function follow(url: URL, key: string, onStop: (number: number) => void): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname)
  socket.setNoDelay(true)
  let rest = ''
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1')
      const blocks = rest.split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        if (block.includes('event: heartbeat')) resolve(socket)
        const number = /event: stop-using\ndata: \{"recordId":"[a-z]+-credit\/gone-(\d+)"/.exec(block)?.[1]
        if (number !== undefined) onStop(Number(number))
      }
    })
    socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n\r\n`)
  })
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}
