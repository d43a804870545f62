import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Region } from '@hub/schemas/streams'
import { serveChild } from '../child.ts'
import { newComplaints } from '../complaints.ts'
import { exchange, requestText } from '../load.ts'
import { NOTIFY_CHANNEL } from '../probe.ts'

export interface LatencySettings {
  url: string
  key: string
  region: Region
  seed: number
  perSecond: number
  warmUpSeconds: number
  seconds: number
  /** Databases with the probe of probe.ts. */
  replicas: string[]
}

export interface LatencyResult {
  /** Milliseconds from the moment a request was due to the moment its record was seen in the last of the replicas; warm-up left out, ascending. */
  milliseconds: number[]
  /** Milliseconds from due to the answer of the gateway, ascending. */
  answered: number[]
  /** Events that were sent, and notices that came, warm-up included. */
  sent: number
  notices: number
  statuses: Record<string, number>
}

const SEEN_WITHIN_MS = 15_000

/**
 * Open loop: each request has its moment, and its time runs from there whether or not the one before has been answered. One process sends and
 * sees, so that one clock measures.
 */
serveChild(async (settings: LatencySettings) => {
  const { perSecond, warmUpSeconds, seconds, replicas } = settings
  const total = perSecond * (warmUpSeconds + seconds)
  const counted = perSecond * warmUpSeconds // the first that counts
  const url = new URL('/v1/streams/complaint/events', settings.url)
  const events = newComplaints(total, settings.seed, settings.region)
  const requests = events.map((event) => requestText(url, settings.key, JSON.stringify(event)))
  const numbers = new Map(events.map(({ recordId }, n) => [recordId, n]))
  const due = new Float64Array(total)
  const missing = new Uint8Array(total).fill(replicas.length)
  const seenMs = new Float64Array(total)
  const answeredMs = new Float64Array(total)
  const statuses: Record<string, number> = {}
  let notices = 0
  let everywhere = 0

  const listeners = await Promise.all(replicas.map(async (connectionString) => {
    const client = new pg.Client({ connectionString })
    client.on('notification', ({ payload }) => {
      const n = numbers.get(payload ?? '')
      if (n === undefined) return
      notices++
      if (--missing[n]! > 0) return
      seenMs[n] = performance.now() - due[n]!
      everywhere++
    })
    await client.connect()
    await client.query(`LISTEN ${NOTIFY_CHANNEL}`)
    return client
  }))

  const idle: Socket[] = []
  let answered = 0
  const send = async (n: number): Promise<void> => {
    const socket = idle.pop() ?? await open(url)
    const status = await exchange(socket, requests[n]!)
    answeredMs[n] = performance.now() - due[n]!
    statuses[status] = (statuses[status] ?? 0) + 1
    answered++
    idle.push(socket)
  }
  const failed = Promise.withResolvers<never>()
  const began = performance.now() + 50
  const sending = (async () => {
    for (let next = 0; next < total;) {
      for (const now = performance.now(); next < total && began + next * 1000 / perSecond <= now; next++) {
        due[next] = began + next * 1000 / perSecond
        send(next).catch(failed.reject)
      }
      await sleep(1)
    }
    const deadline = performance.now() + SEEN_WITHIN_MS
    while ((everywhere < total || answered < total) && performance.now() < deadline) await sleep(20)
  })()
  await Promise.race([sending, failed.promise])
  await Promise.all(listeners.map((client) => client.end()))
  for (const socket of idle) socket.destroy()
  if (everywhere < total) throw new Error(`${total - everywhere} of ${total} events were not seen everywhere within ${SEEN_WITHIN_MS} ms; answers: ${JSON.stringify(statuses)}`)
  const ascending = (values: Float64Array): number[] => [...values.subarray(counted)].sort((a, b) => a - b)
  return { milliseconds: ascending(seenMs), answered: ascending(answeredMs), sent: total, notices, statuses } satisfies LatencyResult
})

function open(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}
