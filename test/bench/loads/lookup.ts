import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveChild } from '../child.ts'
import { codeOf } from '../credit.ts'
import { closedLoop, exchange, percentile, readText, requestText } from '../load.ts'

/** Questions about `subjects` that are there and as many that are not, in turn: as fast as they are answered, at a rate, or many at once. */
export interface LookupLoad {
  readonly url: string
  readonly key: string
  readonly subjects: number
  readonly seed: number
  readonly connections: number
  readonly requests: number
  /** Open loop. */
  readonly perSecond?: number
  /** Codes of one request. */
  readonly batch?: number
}

export interface LookupLoadResult {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly statuses: Record<string, number>
}

serveChild(async ({ url, key, subjects, seed, connections, requests, perSecond, batch }: LookupLoad): Promise<LookupLoadResult> => {
  const base = new URL(url)
  let random = seed >>> 0 || 1
  const next = (): number => {
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    return random >>> 0
  }
  const code = (n: number): string => codeOf((next() % subjects) + (n % 2) * subjects)
  const texts = Array.from({ length: requests }, (_, n) => (batch === undefined
    ? readText(new URL(`${url}/v1/credit/${code(n)}`), key)
    : requestText(new URL(`${url}/v1/credit/batch`), key, JSON.stringify({ codes: Array.from({ length: batch }, (_, at) => code(at)) }))))
  if (batch !== undefined) return inChunks(base, texts, connections)
  if (perSecond === undefined) {
    const result = await closedLoop({ url: base, connections, requests, text: (n) => texts[n]! })
    return { ...result, p999: NaN }
  }
  return openLoop(base, texts, perSecond)
})

/** Each request has its moment, and its time runs from there whether or not the one before has been answered. */
async function openLoop(url: URL, texts: readonly string[], perSecond: number): Promise<LookupLoadResult> {
  const idle: Socket[] = []
  const statuses: Record<string, number> = {}
  const took: number[] = []
  const failed = Promise.withResolvers<never>()
  const began = performance.now() + 50
  const send = async (n: number, due: number): Promise<void> => {
    const socket = idle.pop() ?? await open(url)
    const status = await exchange(socket, texts[n]!)
    took.push(performance.now() - due)
    statuses[status] = (statuses[status] ?? 0) + 1
    idle.push(socket)
  }
  const sending = (async () => {
    for (let n = 0; n < texts.length;) {
      for (const now = performance.now(); n < texts.length && began + n * 1000 / perSecond <= now; n++) send(n, began + n * 1000 / perSecond).catch(failed.reject)
      await sleep(1)
    }
    while (took.length < texts.length) await sleep(5)
  })()
  await Promise.race([sending, failed.promise])
  const seconds = (performance.now() - began) / 1000
  for (const socket of idle) socket.destroy()
  return { perSecond: texts.length / seconds, ...percentiles(took), statuses }
}

const LAST_CHUNK = '\r\n0\r\n\r\n'

/** Answers with a length, or in chunks until the empty one. */
async function inChunks(url: URL, texts: readonly string[], connections: number): Promise<LookupLoadResult> {
  const statuses: Record<string, number> = {}
  const took: number[] = []
  let next = 0
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, async () => {
    const socket = await open(url)
    while (next < texts.length) {
      const sent = performance.now()
      const status = await new Promise<string>((resolve, reject) => {
        let [head, received, last] = ['', 0, '']
        let whole: number | undefined
        const onData = (chunk: Buffer): void => {
          received += chunk.length
          last = (last + chunk.toString('latin1', Math.max(0, chunk.length - LAST_CHUNK.length))).slice(-LAST_CHUNK.length)
          if (whole === undefined) {
            head += chunk.toString('latin1')
            const end = head.indexOf('\r\n\r\n')
            if (end < 0) return
            const length = /content-length: (\d+)/i.exec(head.slice(0, end))?.[1]
            whole = length === undefined ? Infinity : end + 4 + Number(length)
          }
          if (received < whole && (whole < Infinity || last !== LAST_CHUNK)) return
          socket.off('data', onData)
          resolve(head.slice(9, 12))
        }
        socket.on('data', onData).once('error', reject)
        socket.write(texts[next++]!)
      })
      took.push(performance.now() - sent)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
    socket.destroy()
  }))
  return { perSecond: texts.length / ((performance.now() - began) / 1000), ...percentiles(took), statuses }
}

function percentiles(took: number[]): { p50: number, p99: number, p999: number } {
  const sorted = took.sort((a, b) => a - b)
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), p999: percentile(sorted, 0.999) }
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}
