import type { FastifyInstance } from 'fastify'
import { Problem } from '@hub/runtime/http'

/** How long a body may take to come: a batch is 1 MiB at most. */
export const BODY_MS = 30_000

/** Every body of the app has to be here in this time; one that trickles is answered 408. */
export function boundBodies(app: FastifyInstance, ms: number = BODY_MS): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.method !== 'POST') return done(null, payload)
    // Not destroyed: its sender is to read the answer, and what still comes is drained and then cut.
    const late = setTimeout(() => {
      if (payload.listenerCount('error') > 0) payload.emit('error', new Problem(408, 'BODY_TOO_SLOW', '等待内容超时 · the body did not come in time', 'Send it again.'))
    }, ms)
    payload.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late))
    done(null, payload)
  })
}
