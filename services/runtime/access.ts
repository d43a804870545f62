import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keyHash, type Authenticator, type Caller, type Role } from './caller.ts'
import { Problem } from './problem.ts'
import type { Sessions } from './session.ts'

/** Who may call a route: anyone, or a caller with one of these roles. Every route must say so; the default is closed. */
export type Access = 'open' | { readonly roles: readonly Role[] }

/** What a limit by address counts by: the address, of IPv6 its /64. */
export function addressOf({ ip }: FastifyRequest): string {
  return rateLimit.normalizeIP(ip)
}

/** Wrong keys that one address (IPv6: one /64) may give in a minute before it has to wait. */
const WRONG_KEYS_A_MINUTE = 30
/** Addresses and callers that are remembered as having met. */
const MAX_ACQUAINTED = 10_000

export interface Doorkeeper {
  /** Lets a request in, with `request.caller` set, or throws the problem that says what is missing. Nothing is waited for when the caller came from this address before. */
  admit(request: FastifyRequest): Promise<void> | void
  /** The caller of a key given by this request. Throws when it is wrong, or when this address gave too many wrong ones. */
  recognise(request: FastifyRequest, hashOfKey: Buffer): Promise<Caller> | Caller
}

/**
 * Decides who comes in: by `authorization: Bearer <key>` or, where there are sessions, by cookie. Guessing is throttled by address: one that gave too
 * many wrong keys is answered 429 whatever key it gives, except to callers who came in from there before.
 */
export function createDoorkeeper(app: FastifyInstance, authenticate: Authenticator | undefined, sessions: Sessions | undefined): Doorkeeper {
  const wrongKeys = app.createRateLimit({ max: WRONG_KEYS_A_MINUTE, timeWindow: 60_000, keyGenerator: addressOf })
  const acquainted = new Set<string>()

  return {
    admit(request) {
      const access = request.routeOptions.config.access
      if (access === 'open' || request.is404) {
        if (request.routeOptions.config.page !== undefined) request.caller = sessions?.callerOf(request)
        return
      }
      const header = request.headers.authorization
      if (header === undefined) {
        const caller = sessions?.callerOf(request)
        if (caller !== undefined) {
          sessions!.mustBeOwnPage(request)
          return enter(request, caller)
        }
      }
      const key = /^Bearer (\S+)$/i.exec(header ?? '')?.[1]
      if (key === undefined) throw new Problem(401, 'KEY_MISSING', '需要密钥 · a key is needed', 'Send "authorization: Bearer <key>".')
      const caller = this.recognise(request, keyHash(key))
      return caller instanceof Promise ? caller.then((one) => enter(request, one)) : enter(request, caller)
    },
    recognise(request, hashOfKey) {
      const caller = authenticate?.(hashOfKey)
      return caller !== undefined && acquainted.has(meeting(request, caller)) ? caller : firstMeeting(request, caller)
    },
  }

  async function firstMeeting(request: FastifyRequest, caller: Caller | undefined): Promise<Caller> {
    const spent = await wrongKeys(request, { increment: caller === undefined })
    // A peek tells what was counted before; the wrong key itself is counted in `remaining` already.
    if (!spent.isAllowed && (spent.isExceeded || (caller !== undefined && spent.remaining === 0))) {
      throw new Problem(429, 'TOO_MANY_WRONG_KEYS', '此地址的错误密钥过多，请稍后重试 · too many wrong keys from this address: try again later', 'Wait as long as Retry-After says, and check the key for a copy error.', { retryAfterSeconds: Math.max(1, spent.ttlInSeconds) })
    }
    if (caller === undefined) throw new Problem(401, 'KEY_UNKNOWN', '密钥无效 · the key is not known here', 'Ask the operator of this region for a key, or check for a copy error.')
    if (acquainted.size >= MAX_ACQUAINTED) acquainted.delete(acquainted.values().next().value!)
    acquainted.add(meeting(request, caller))
    return caller
  }
}

function meeting(request: FastifyRequest, caller: Caller): string {
  return `${request.ip} ${caller.id}`
}

function enter(request: FastifyRequest, caller: Caller): void {
  // Known before the role is looked at: the access log tells whom was turned away.
  request.caller = caller
  if (!mayCall(request.routeOptions.config.access, caller)) {
    const { roles } = request.routeOptions.config.access as Exclude<Access, 'open'>
    throw new Problem(403, 'ROLE_MISSING', '没有此权限 · this caller lacks the role', `One of these roles is needed: ${roles.join(', ')}.`)
  }
}

export function mayCall(access: Access | undefined, caller: Caller | undefined): boolean {
  if (access === 'open') return true
  return access !== undefined && caller !== undefined && access.roles.some((role) => caller.roles.includes(role))
}
