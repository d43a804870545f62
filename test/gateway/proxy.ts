import { openTcpProxy } from '../tcp-proxy.ts'

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
  const url = new URL(databaseUrl)
  let mode: 'pass' | 'cut' | 'swallow' = 'pass'
  const passing = (bytes: Buffer): Buffer | undefined => (mode === 'pass' ? bytes : undefined)
  const proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port), refuses: () => mode === 'cut', toServer: passing, toClient: passing })
  url.port = String(proxy.port)
  return {
    url: url.href,
    cut() {
      mode = 'cut'
      proxy.cut()
    },
    swallow() {
      mode = 'swallow'
    },
    restore() {
      mode = 'pass'
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}
