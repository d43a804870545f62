import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Connection {
  readonly client: Socket
  readonly upstream: Socket
}

/** What is given on of bytes on their way; undefined gives nothing on. */
export type Way = (bytes: Buffer, connection: Connection) => Buffer | undefined

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Ends every connection there is. */
  cut(): void
}

/** A TCP proxy on a free port of `host`, for tests of what a network does to its ends. The two sides of a connection end together. */
export async function openTcpProxy(options: { host: string; port: number; refuses?: () => boolean; toServer?: Way; toClient?: Way }): Promise<TcpProxy> {
  const { refuses = () => false, toServer = asItIs, toClient = asItIs } = options
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (refuses()) {
      client.destroy()
      return
    }
    const connection: Connection = { client, upstream: connect(options.port, options.host) }
    for (const [from, to, way] of [[client, connection.upstream, toServer], [connection.upstream, client, toClient]] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        const given = way(bytes, connection)
        if (given !== undefined && !to.destroyed) to.write(given)
      })
      from.on('error', () => {}).once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, options.host)
  await once(server, 'listening')
  const cut = (): void => { for (const socket of sockets) socket.destroy() }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async [Symbol.asyncDispose]() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}

function asItIs(bytes: Buffer): Buffer {
  return bytes
}
