import { createRequire } from 'node:module'

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null
  throttledUntil: number
  pending: unknown[]
  checkPendingRequests(): void
}

/**
 * kafkajs 2.2.4 re-arms a 1 ms timer on every connection for ever (issues 1556, 1704, 1751; fixes unmerged). This one runs only
 * while requests are really held back.
 */
export function stopPerpetualTimer(): void {
  const module: unknown = createRequire(import.meta.url)('kafkajs/src/network/requestQueue')
  const { prototype } = module as { prototype: { scheduleCheckPendingRequests(this: RequestQueue): void } }
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.throttleCheckTimeoutId !== null && this.throttleCheckTimeoutId !== undefined) return
    if (this.pending.length === 0) return
    const throttled = this.throttledUntil - Date.now()
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    }, throttled > 0 ? throttled : 10)
  }
}
