import { connect, type Socket } from 'node:net'

const MARK = Buffer.from('\nevent: ')
const PUT = 'p'.charCodeAt(0)
const DASH = '-'.charCodeAt(0)

/** Opens a live reader on a raw socket; `onChange` is given the number of each change as it comes. Resolves with the first heartbeat. */
export function openReader(url: URL, key: string, onChange: (change: number) => void): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname)
  socket.setNoDelay(true)
  let rest: Buffer = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('data', (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let from = 0
      for (;;) {
        const at = bytes.indexOf(MARK, from)
        if (at < 0 || at + MARK.length >= bytes.length) break
        const dash = bytes.lastIndexOf(DASH, at)
        if (bytes[at + MARK.length] === PUT) onChange(Number(bytes.toString('latin1', dash + 1, at)))
        else resolve(socket)
        from = at + MARK.length
      }
      // What an event's first lines may still need.
      rest = bytes.subarray(Math.max(from, bytes.length - 200))
    })
    socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n\r\n`)
  })
}
