import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { LocalProblem } from './problem.ts'

export const HOST = '127.0.0.1'

export interface StackPorts { kafka: number, kafkaController: number, registry: number, postgres: number }

/** The ports of `npm start`; chosen beside the usual 9092, 8081 and 5432, which a developer's own services may hold. */
export const DEFAULT_PORTS: StackPorts = { kafka: 19092, kafkaController: 19093, registry: 18081, postgres: 15432 }

/** Free ports below the range the kernel gives to outgoing connections, so that none of those takes one before we do. */
export async function randomPorts(): Promise<StackPorts> {
  const taken = new Set<number>()
  const next = async (): Promise<number> => {
    for (;;) {
      const port = 20_000 + Math.floor(Math.random() * 12_000)
      if (!taken.has(port) && await isFree(port)) {
        taken.add(port)
        return port
      }
    }
  }
  return { kafka: await next(), kafkaController: await next(), registry: await next(), postgres: await next() }
}

/**
 * Checks that nobody listens on the ports.
 * @throws LocalProblem PORT_BUSY, naming every busy port, what it is for and, where the system tells, who holds it
 */
export async function assertPortsFree(ports: { name: string, port: number }[]): Promise<void> {
  const busy = (await Promise.all(ports.map(async (each) => ({ ...each, free: await isFree(each.port) })))).filter((each) => !each.free)
  if (busy.length === 0) return
  const holder = busy.map(({ port }) => portHolder(port))
  const zh = busy.map(({ name, port }, i) => `端口 ${port}（${name}）已被占用${holder[i] ? `：${holder[i]}` : ''}`).join('；')
  const en = busy.map(({ name, port }, i) => `port ${port} (${name}) is in use${holder[i] ? ` by ${holder[i]}` : ''}`).join('; ')
  throw new LocalProblem('PORT_BUSY', `${zh}。请先结束占用者再启动，或改用其他端口：npm start -- --first-port 24300。`, `${en}. Stop that process and start again, or take other ports: npm start -- --first-port 24300.`)
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** `pid 4711 (java …)` of whoever listens on a port, where this user may see it. */
export function portHolder(port: number): string | undefined {
  try {
    return process.platform === 'linux' ? linuxHolder(port) : lsofHolder(port)
  } catch {
    return undefined
  }
}

/** The socket inodes that listen on `port` in the text of `/proc/net/tcp` or `tcp6`. */
export function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').slice(1).map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && fields[1]?.endsWith(`:${hex}`))
    .map((fields) => fields[9]!)
}

function linuxHolder(port: number): string | undefined {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(tryRead(file), port)).map((inode) => `socket:[${inode}]`))
  if (sockets.size === 0) return undefined
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) return `pid ${pid} (${shortCommand(tryRead(`/proc/${pid}/cmdline`))})`
      }
    } catch {
      continue // another user's process, or one that ended meanwhile
    }
  }
  return undefined
}

function lsofHolder(port: number): string | undefined {
  const lines = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8', stdio: 'pipe' }).split('\n')
  const pid = lines.find((line) => line.startsWith('p'))?.slice(1)
  return pid && `pid ${pid} (${lines.find((line) => line.startsWith('c'))?.slice(1) ?? ''})`
}

function shortCommand(cmdline: string): string {
  const text = cmdline.split('\0').join(' ').trim()
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function tryRead(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
