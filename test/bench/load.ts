import { connect, type Socket } from 'node:net'

/** Result of one closed-loop run: answers per second and latency percentiles in milliseconds. */
export interface ClosedLoopResult {
  requests: number
  perSecond: number
  p50: number
  p99: number
  statuses: Record<string, number>
}

/**
 * Closed-loop HTTP/1.1 load over keep-alive sockets, one request in flight per socket.
 * A raw socket costs the generator about a tenth of an HTTP client, which matters where it shares two cores with what it measures.
 */
export async function closedLoop(options: {
  url: URL
  connections: number
  requests: number
  /** The n-th request, as `requestText` or `readText` gives it. */
  text: (n: number) => string
}): Promise<ClosedLoopResult> {
  const latencies = new Float64Array(options.requests)
  const statuses: Record<string, number> = {}
  let next = 0
  let done = 0
  const started = performance.now()
  await Promise.all(Array.from({ length: options.connections }, () => runSocket()))
  const seconds = (performance.now() - started) / 1000
  const sorted = latencies.subarray(0, done).sort()
  return { requests: done, perSecond: done / seconds, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), statuses }

  async function runSocket(): Promise<void> {
    const socket = await open(options.url)
    try {
      while (next < options.requests) {
        const sent = performance.now()
        const status = await exchange(socket, options.text(next++))
        latencies[done++] = performance.now() - sent
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    } finally {
      socket.destroy()
    }
  }
}

/** The p-th quantile (0–1) of ascending values. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  return sorted.length === 0 ? NaN : (sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? NaN)
}

/** One publish request, to be written as it is. */
export function requestText(url: URL, key: string, body: string): string {
  return `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** One read, to be written as it is. */
export function readText(url: URL, key: string): string {
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\n\r\n`
}

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** Sends one request and resolves with the status of its answer once that is whole. Rejects when the connection ends. */
export function exchange(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const onData = (chunk: Buffer): void => {
      answer += chunk.toString('latin1')
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1] ?? 0)
      if (answer.length < headEnd + 4 + length) return
      cleanUp()
      resolve(answer.slice(9, 12))
    }
    const onClose = (): void => {
      cleanUp()
      reject(new Error('the gateway closed the connection'))
    }
    const cleanUp = (): void => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(text)
  })
}
