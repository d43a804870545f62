import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What a link does to what passes it now; nothing by default. */
export interface Conditions {
  /** Connections are refused. */
  readonly down?: boolean
  /** New connections are taken and old ones kept, and not a byte comes through; what is held goes on afterwards. */
  readonly silent?: boolean
  /** On each way. */
  readonly delayMs?: number
  /** On each way of each connection. */
  readonly bytesPerSecond?: number
  /** Handed on in pieces of so many bytes. */
  readonly sliceBytes?: number
  /** Every so many-th COMMIT of a client ends its connection: in turn before the server has got it, and right after. */
  readonly cutCommits?: number
}

/** A way to a server of a stack that can be made bad; the fault proxy of the suite. */
export interface Link extends AsyncDisposable {
  readonly port: number
  /** How many pieces were held, delayed, cut up or thrown away, and how many connections ended or refused. */
  readonly struck: number
  set(conditions: Conditions): void
  /** Ends connections with a reset: all of them, or those that `chosen` picks. */
  reset(chosen?: () => boolean): void
}

const MOST_WAITING = 1024 ** 2
const SILENCE_MS = 20
const COMMIT = Buffer.from('COMMIT\0')

/** Opens a link to `host:port`. `advertised`: the server tells its own address (a broker), which is replaced by the link's. */
export async function openLink({ host, port, advertised = false }: { host: string, port: number, advertised?: boolean }): Promise<Link> {
  const pairs = new Set<{ client: Socket, upstream: Socket }>()
  let conditions: Conditions = {}
  let struck = 0
  let commits = 0
  let own = 0

  const server = createServer({ noDelay: true }, (client) => {
    if (conditions.down === true) {
      struck++
      client.resetAndDestroy()
      return
    }
    const pair = { client, upstream: connect({ host, port, noDelay: true }) }
    pairs.add(pair)
    carry(pair.client, pair.upstream, (bytes) => bytes)
    carry(pair.upstream, pair.client, (bytes) => (advertised ? readdressed(bytes, host, port, own) : bytes))
    for (const socket of [pair.client, pair.upstream]) {
      socket.on('error', () => {}).once('close', () => {
        pairs.delete(pair)
        pair.client.destroy()
        pair.upstream.destroy()
      })
    }
  })
  server.listen(0, host)
  await once(server, 'listening')
  own = (server.address() as AddressInfo).port

  function carry(from: Socket, to: Socket, change: (bytes: Buffer) => Buffer): void {
    const waiting: { at: number, bytes: Buffer }[] = []
    let size = 0
    let carrying = false
    from.on('data', (bytes) => {
      waiting.push({ at: performance.now(), bytes: change(bytes) })
      size += bytes.length
      if (size > MOST_WAITING) from.pause()
      if (!carrying) void run()
    })

    async function run(): Promise<void> {
      carrying = true
      for (let next = waiting.shift(); next !== undefined && !to.destroyed; next = waiting.shift()) {
        await hand(next)
        size -= next.bytes.length
        if (size <= MOST_WAITING) from.resume()
      }
      carrying = false
    }

    async function hand({ at, bytes }: { at: number, bytes: Buffer }): Promise<void> {
      if (conditions.silent === true) struck++
      while (conditions.silent === true && !to.destroyed) await pause(SILENCE_MS)
      const { delayMs = 0, bytesPerSecond = Infinity, sliceBytes = Infinity, cutCommits } = conditions
      if (delayMs > 0) {
        struck++
        await pause(at + delayMs - performance.now())
      }
      if (cutCommits !== undefined && bytes.includes(COMMIT) && ++commits % cutCommits === 0) {
        struck++
        if (commits / cutCommits % 2 === 0) to.write(bytes)
        setImmediate(() => from.resetAndDestroy())
        return
      }
      if (Number.isFinite(bytesPerSecond)) {
        struck++
        await pause(bytes.length / bytesPerSecond * 1000)
      }
      if (!Number.isFinite(sliceBytes)) {
        to.write(bytes)
        return
      }
      struck++
      for (let start = 0; start < bytes.length && !to.destroyed; start += sliceBytes) {
        if (!to.write(bytes.subarray(start, start + sliceBytes))) await Promise.race([once(to, 'drain').catch(() => {}), once(to, 'close')])
        if (start / sliceBytes % 64 === 63) await pause(0)
      }
    }
  }

  function reset(chosen: () => boolean = () => true): void {
    for (const pair of pairs) {
      if (!chosen()) continue
      struck++
      pair.client.resetAndDestroy()
      pair.upstream.destroy()
    }
  }

  return {
    port: own,
    get struck() { return struck },
    set(next) { conditions = next },
    reset,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const { client } of pairs) client.destroy()
      await once(server, 'close')
    },
  }
}

/** The broker's address as it stands in a metadata answer (text, then a 32-bit port), with the link's port in it. */
function readdressed(bytes: Buffer, host: string, port: number, own: number): Buffer {
  const wanted = Buffer.alloc(host.length + 4)
  wanted.write(host, 0, 'latin1')
  wanted.writeInt32BE(port, host.length)
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) bytes.writeInt32BE(own, at + host.length)
  return bytes
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => { ms > 1 ? setTimeout(resolve, ms) : setImmediate(resolve) })
}
