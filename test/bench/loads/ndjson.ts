import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { serveChild } from '../child.ts'
import { complaintVersions } from '../complaints.ts'
import type { NdjsonResult, NdjsonSettings } from '../ndjson-result.ts'

const LINES_PER_CHUNK = 100

serveChild(async ({ url, key, region, seed, events, bodies }: NdjsonSettings, say) => {
  const parts = Array.from({ length: bodies }, (_, part) => complaintVersions(Math.floor(events / bodies), seed + part, region))
  const sent = parts.map(chunks)
  say({ ready: true })
  const began = performance.now()
  const counted = await Promise.all(sent.map((part) => send(new URL('/v1/streams/complaint/events', url), key, part)))
  const seconds = (performance.now() - began) / 1000
  const verdicts: Record<string, number> = {}
  for (const one of counted) for (const [verdict, n] of Object.entries(one)) verdicts[verdict] = (verdicts[verdict] ?? 0) + n
  return { seconds, verdicts, records: parts.reduce((sum, part) => sum + new Set(part.map(({ recordId }) => recordId)).size, 0) } satisfies NdjsonResult
})

function chunks(events: readonly object[]): Buffer[] {
  const lines = events.map((event) => `${JSON.stringify(event)}\n`)
  return Array.from({ length: Math.ceil(lines.length / LINES_PER_CHUNK) }, (_, n) => Buffer.from(lines.slice(n * LINES_PER_CHUNK, (n + 1) * LINES_PER_CHUNK).join('')))
}

/** Sends one body, reads its verdicts, counts them. */
function send(url: URL, key: string, body: readonly Buffer[]): Promise<Record<string, number>> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers }, (response) => {
      const verdicts: Record<string, number> = {}
      let other = ''
      createInterface({ input: response }).on('line', (line) => {
        const verdict = /"verdict":"([a-z-]+)"/.exec(line)?.[1]
        if (verdict === undefined) other = line
        else verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
      }).once('close', () => {
        if (response.statusCode === 200 && response.complete) resolve(verdicts)
        else reject(new Error(`answer ${response.statusCode}: ${other}`))
      })
    })
    outgoing.once('error', reject)
    Readable.from(body, { objectMode: true }).pipe(outgoing)
  })
}
