import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy extends AsyncDisposable {
  /** The database's URL by way of this proxy. */
  readonly url: string
  /** Cuts every connection and takes no more. */
  cut(): void
  /** Keeps every connection and passes nothing on. */
  swallow(): void
  restore(): void
}

/** A TCP proxy in front of a database. */
export async function openProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let mode: 'pass' | 'cut' | 'swallow' = 'pass'
  const server = createServer((client) => {
    if (mode === 'cut') {
      client.destroy()
      return
    }
    const upstream = connect(Number(target.port), target.hostname)
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (mode === 'pass') to.write(chunk)
      })
      from.on('error', () => {}).on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    cut() {
      mode = 'cut'
      for (const socket of sockets) socket.destroy()
    },
    swallow() {
      mode = 'swallow'
    },
    restore() {
      mode = 'pass'
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((closed) => server.close(() => closed()))
    },
  }
}
