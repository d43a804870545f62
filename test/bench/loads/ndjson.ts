import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Region } from '@hub/schemas/streams'
import { serveChild } from '../child.ts'
import { complaints } from '../complaints.ts'

export interface NdjsonSettings {
  url: string
  key: string
  region: Region
  seed: number
  events: number
  /** Bodies sent at once, each with its part of the events. */
  bodies: number
}

export interface NdjsonResult {
  /** From the first byte sent to the last verdict read. */
  seconds: number
  /** How often each verdict was given. */
  verdicts: Record<string, number>
}

const LINES_PER_CHUNK = 100

serveChild(async ({ url, key, region, seed, events, bodies }: NdjsonSettings, say) => {
  const parts = Array.from({ length: bodies }, (_, part) => chunks(complaints(Math.floor(events / bodies), seed + part, region)))
  say({ ready: true })
  const began = performance.now()
  const counted = await Promise.all(parts.map((part) => send(new URL('/v1/streams/complaint/events', url), key, part)))
  const seconds = (performance.now() - began) / 1000
  const verdicts: Record<string, number> = {}
  for (const one of counted) for (const [verdict, n] of Object.entries(one)) verdicts[verdict] = (verdicts[verdict] ?? 0) + n
  return { seconds, verdicts } satisfies NdjsonResult
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
