import { openTcpProxy } from '../tcp-proxy.ts'

export interface BrokerProxy extends AsyncDisposable {
  /** host:port of the proxy; the broker's own address is replaced by it in every answer. */
  readonly address: string
  /** `lose-answers`: requests reach the broker, its answers are dropped and the connections cut. */
  mode: 'open' | 'lose-answers'
}

/** A TCP proxy before one broker on an IPv4 address, for clients that go to the address the broker advertises. */
export async function openBrokerProxy(broker: string): Promise<BrokerProxy> {
  const [host, port] = broker.split(':') as [string, string]
  const advertised = addressBytes(host, Number(port))
  let own = advertised
  let mode: BrokerProxy['mode'] = 'open'
  const proxy = await openTcpProxy({
    host,
    port: Number(port),
    toClient(bytes, { client }) {
      if (mode === 'open') return replaced(bytes, advertised, own)
      client.destroy()
      return undefined
    },
  })
  own = addressBytes(host, proxy.port)
  return {
    address: `${host}:${proxy.port}`,
    get mode() { return mode },
    set mode(value) { mode = value },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}

/** A host and a port as they stand in a metadata answer. The length of the host is left out: it has two encodings, and stays the same. */
function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(host.length + 4)
  bytes.write(host, 0, 'latin1')
  bytes.writeInt32BE(port, host.length)
  return bytes
}

function replaced(bytes: Buffer, from: Buffer, to: Buffer): Buffer {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) to.copy(bytes, at)
  return bytes
}
