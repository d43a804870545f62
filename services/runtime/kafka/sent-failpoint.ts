import { createRequire } from 'node:module'
import { failpoint } from '../failpoint.ts'

interface SocketRequest { readonly entry: { readonly apiName: string } }

let marked = false

/** Passes `kafka.request-sent` behind every request that kafkajs has handed to its socket. For processes that tests strike. */
export function markSentRequests(): void {
  if (marked) return
  marked = true
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: { sendSocketRequest(request: SocketRequest): void } }
  const send = prototype.sendSocketRequest
  prototype.sendSocketRequest = function (request): void {
    send.call(this, request)
    failpoint('kafka.request-sent', request.entry.apiName)
  }
}
