import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface BrokerProxy extends AsyncDisposable {
  /** host:port of the proxy; the broker's own address is replaced by it in every answer. */
  readonly address: string
  /** `lose-answers`: requests reach the broker, its answers are dropped and the connections cut. */
  mode: 'open' | 'lose-answers'
}

/** A TCP proxy before one broker on an IPv4 address, for clients that go to the address the broker advertises. */
export async function openBrokerProxy(broker: string): Promise<BrokerProxy> {
  const [host, port] = broker.split(':') as [string, string]
  const sockets = new Set<Socket>()
  const advertised = addressBytes(host, Number(port))
  let own = advertised
  const server = createServer((client) => {
    const upstream = connect(Number(port), host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => {
      if (proxy.mode === 'lose-answers') client.destroy()
      else client.write(replaced(bytes, advertised, own))
    })
  })
  server.listen(0, host)
  await once(server, 'listening')
  const ownPort = (server.address() as AddressInfo).port
  own = addressBytes(host, ownPort)
  const proxy: BrokerProxy = {
    address: `${host}:${ownPort}`,
    mode: 'open',
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return proxy
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
