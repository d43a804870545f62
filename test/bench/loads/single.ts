import type { Region } from '@hub/schemas/streams'
import { serveChild } from '../child.ts'
import { newComplaints } from '../complaints.ts'
import { closedLoop, requestText } from '../load.ts'

export interface SingleSettings {
  url: string
  key: string
  region: Region
  seed: number
  connections: number
  requests: number
}

/** One event per request, one request in flight per connection. */
serveChild(async ({ url, key, region, seed, connections, requests }: SingleSettings) => {
  const bodies = newComplaints(requests, seed, region).map((event) => JSON.stringify(event))
  const to = new URL('/v1/streams/complaint/events', url)
  return closedLoop({ url: to, connections, requests, text: (n) => requestText(to, key, bodies[n]!) })
})
