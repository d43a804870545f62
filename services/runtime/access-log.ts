import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from './log.ts'

/** Asked every few seconds by balancers and collectors: nobody's doing. */
const PROBES = new Set(['/livez', '/readyz', '/metrics'])

/**
 * Who did what: one line for each request, by its route's template. No body, no value of a query or of a path but the stream's name, no key.
 * `request` is the `instance` of the problem that was answered, if one was.
 */
export function logAccess(log: Log): (request: FastifyRequest, reply: FastifyReply) => void {
  // Nothing of a line needs to be hidden, and looking for what to hide costs more than writing it.
  const access = log.child({ part: 'access' }, { redact: [] })
  return (request, reply) => {
    const route = request.routeOptions.url
    if (route !== undefined && PROBES.has(route)) return
    const stream = (request.params as { stream?: unknown } | undefined)?.stream
    access.info({
      caller: request.caller?.id ?? null,
      method: request.method,
      route: route ?? null,
      // Letters alone: a value that names no stream could be anything.
      ...(typeof stream === 'string' && /^[a-z-]{1,30}$/.test(stream) && { stream }),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      request: request.id,
    }, 'request')
  }
}
