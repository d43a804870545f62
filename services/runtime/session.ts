import type { FastifyReply, FastifyRequest } from 'fastify'
import { randomBytes } from 'node:crypto'
import type { Authenticator, Caller } from './caller.ts'
import { Problem } from './problem.ts'

const MAX_SESSIONS = 10_000
const SESSION_MS = 12 * 3_600_000

/**
 * Who is signed in with a browser, in this process's memory: a random id in a cookie stands for the hash of a key. A session ends after 12 hours,
 * at `end`, with the process, and at once when its key or its caller is no longer valid. Where there are 10 000, the oldest gives way.
 */
export interface Sessions {
  /** Whose session a request carries, or undefined. */
  callerOf(request: FastifyRequest): Caller | undefined
  begin(request: FastifyRequest, reply: FastifyReply, keyHash: Buffer): void
  end(request: FastifyRequest, reply: FastifyReply): void
  /** Throws unless a request that changes something comes from a page of this host (OWASP: cross-site request forgery). */
  mustBeOwnPage(request: FastifyRequest): void
}

/** @param cookie its name: browsers do not tell ports apart, so two servers on one host need two names */
export function createSessions(cookie: string, authenticate: Authenticator): Sessions {
  const sessions = new Map<string, { readonly keyHash: Buffer; readonly until: number }>()
  const idOf = (request: FastifyRequest): string | undefined => {
    for (const part of (request.headers.cookie ?? '').split(';')) {
      const at = part.indexOf('=')
      if (part.slice(0, at).trim() === cookie) return part.slice(at + 1).trim()
    }
    return undefined
  }
  const setCookie = (request: FastifyRequest, reply: FastifyReply, value: string, seconds: number): void => {
    void reply.header('set-cookie', `${cookie}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${request.protocol === 'https' ? '; Secure' : ''}`)
  }
  return {
    callerOf(request) {
      const id = idOf(request)
      const session = id === undefined ? undefined : sessions.get(id)
      if (session === undefined) return undefined
      const caller = session.until > Date.now() ? authenticate(session.keyHash) : undefined
      if (caller === undefined) sessions.delete(id!)
      return caller
    },
    begin(request, reply, keyHash) {
      this.end(request, reply)
      if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value!)
      const id = randomBytes(32).toString('base64url')
      sessions.set(id, { keyHash, until: Date.now() + SESSION_MS })
      void reply.removeHeader('set-cookie')
      setCookie(request, reply, id, SESSION_MS / 1000)
    },
    end(request, reply) {
      const id = idOf(request)
      if (id !== undefined) sessions.delete(id)
      setCookie(request, reply, '', 0)
    },
    mustBeOwnPage(request) {
      if (request.method === 'GET' || request.method === 'HEAD') return
      const site = request.headers['sec-fetch-site']
      const { origin } = request.headers
      // Browsers leave Sec-Fetch-Site out on plain HTTP, and Origin names the host they asked.
      const own = site === undefined ? origin !== undefined && URL.canParse(origin) && new URL(origin).host === request.host : site === 'same-origin'
      if (!own) throw new Problem(403, 'CROSS_ORIGIN', '请求来自其他网站 · the request comes from another site', 'Send it from a page of this host, or with "authorization: Bearer <key>" and no cookie.')
    },
  }
}
