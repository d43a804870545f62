import { serveChild } from '../child.ts'
import { closedLoop, readText } from '../load.ts'

export interface ReadSettings {
  url: string
  key: string
  recordIds: string[]
  connections: number
  requests: number
}

/** One record per request, one request in flight per connection. */
serveChild(async ({ url, key, recordIds, connections, requests }: ReadSettings) => {
  const base = new URL(url)
  const texts = recordIds.map((recordId) => readText(new URL(`/v1/streams/complaint/records?${new URLSearchParams({ recordId })}`, base), key))
  return closedLoop({ url: base, connections, requests, text: (n) => texts[n % texts.length]! })
})
