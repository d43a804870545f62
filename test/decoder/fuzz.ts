import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { classify, type LogPlace } from '@hub/replicator/classify'
import { createCodec, type Codec, type Writer } from '@hub/runtime/codec'
import { createLog } from '@hub/runtime/log'
import { ALL_CONTRACTS, contractByName } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { sampleRecord, VARIANTS } from '@hub/schemas/samples'
import { isDataStream, PARTITIONS, type Region, type Stream } from '@hub/schemas/streams'
import { seeded } from '../data/random.ts'
import { MUTATIONS, type Seed } from './mutations.ts'
import { sitesOf } from './sites.ts'

export interface FuzzResult {
  readonly inputs: number
  readonly accepted: number
  /** Parked, by reason. */
  readonly parked: Readonly<Record<string, number>>
  /** Most memory beside the heap (MiB) above what it was at the start. */
  readonly arrayBuffersMiB: number
  readonly rssMiB: number
  /** Longest time that one input took. */
  readonly slowestMs: number
  readonly seconds: number
}

interface Sample extends Seed {
  readonly place: LogPlace
  readonly key: Buffer
}

const REGION: Region = 'zj'

/**
 * Puts damaged events through everything a replica does to an event before its database. Throws where one is neither parked for a reason nor read as
 * something that reads the same once written again.
 */
export async function fuzz(inputs: number, seed: number): Promise<FuzzResult> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'yrd-fuzz-'))
  const registry = await startRegistry()
  try {
    const { port } = registry.address() as { port: number }
    const codec = await createCodec({ registryUrl: `http://127.0.0.1:${port}`, cacheDir, contracts: ALL_CONTRACTS, guard: createGuard, log: createLog({ service: 'fuzz', level: 'silent' }) })
    const writers = new Map<string, Writer>()
    for (const { fullName } of ALL_CONTRACTS) writers.set(fullName, await codec.writer(fullName))
    return await run(codec, writers, inputs, seed)
  } finally {
    registry.closeAllConnections()
    registry.close()
    rmSync(cacheDir, { recursive: true, force: true })
  }
}

async function run(codec: Codec, writers: ReadonlyMap<string, Writer>, inputs: number, seed: number): Promise<FuzzResult> {
  const random = seeded(seed)
  const samples = samplesOf(writers)
  const mutations = Object.entries(MUTATIONS)
  const parked: Record<string, number> = {}
  let [accepted, slowestMs, arrayBuffers, rss] = [0, 0, 0, 0]
  const began = performance.now()
  const before = process.memoryUsage()
  for (let n = 0; n < inputs; n++) {
    const sample = samples[Math.floor(random() * samples.length)]!
    const [name, mutate] = mutations[n % mutations.length]!
    const value = mutate(random, sample, samples)
    const message = { offset: BigInt(n), key: sample.key, value, headers: { sequence: Buffer.from(String(n)) } }
    const startedAt = performance.now()
    let item = classify(codec, sample.place, message, n + 1)
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    if (item instanceof Promise) {
      await item
      item = classify(codec, sample.place, message, n + 1)
    }
    if (item instanceof Promise) throw new Error(`${name}: an answered registry leaves the schema open: ${value.toString('hex')}`)
    if (item.what === 'parked') {
      if (item.reason === '') throw new Error(`${name}: parked without a reason: ${value.toString('hex')}`)
      parked[item.reason] = (parked[item.reason] ?? 0) + 1
    } else {
      accepted++
      readsTheSame(codec, writers, name, value)
    }
    if (n % 500 === 0) {
      const now = process.memoryUsage()
      arrayBuffers = Math.max(arrayBuffers, now.arrayBuffers - before.arrayBuffers)
      rss = Math.max(rss, now.rss - before.rss)
    }
  }
  const seconds = (performance.now() - began) / 1000
  return { inputs, accepted, parked, arrayBuffersMiB: mib(arrayBuffers), rssMiB: mib(rss), slowestMs: Math.round(slowestMs * 10) / 10, seconds: Math.round(seconds * 10) / 10 }
}

/** What was read, written again in the one form that we write, is read as the same. */
function readsTheSame(codec: Codec, writers: ReadonlyMap<string, Writer>, mutation: string, value: Buffer): void {
  const first = codec.decode(value)
  if (!first.ok) throw new Error(`${mutation}: accepted and not decoded: ${value.toString('hex')}`)
  const again = codec.decode(writers.get(first.fullName)!.encode(first.record))
  if (!again.ok || !isDeepStrictEqual(plain(again.record), plain(first.record))) throw new Error(`${mutation}: reads otherwise once written again: ${value.toString('hex')}`)
}

function plain(record: unknown): unknown {
  return JSON.parse(JSON.stringify(record))
}

function samplesOf(writers: ReadonlyMap<string, Writer>): Sample[] {
  const names: readonly (readonly [string, string?])[] = [...ALL_CONTRACTS.map(({ fullName }) => [fullName] as const), ...VARIANTS]
  return names.flatMap(([fullName, variant]) => {
    const contract = contractByName(fullName)!
    const record = { ...sampleRecord(fullName, variant), ...('region' in sampleRecord(fullName, variant) && { region: REGION }) }
    const wire = writers.get(fullName)!.encode(record)
    const stream: Stream = contract.role === 'control' ? 'complaint' : contract.stream as Stream
    const recordId = (record as { recordId?: string }).recordId
    const key = recordId ?? (contract.role === 'control' ? (fullName.endsWith('Genesis') ? 'genesis' : 'heartbeat') : keyOfTechnical(fullName, record))
    const partition = recordId === undefined || !isDataStream(stream) ? 0 : partitionOf(recordId, PARTITIONS[stream])
    return [{ wire, sites: sitesOf(contract.schema, wire, 5), key: Buffer.from(key), place: { region: REGION, stream, partition, technical: !isDataStream(stream) } }]
  })
}

function keyOfTechnical(fullName: string, record: Record<string, unknown>): string {
  if (fullName.endsWith('.Checkpoint')) return 'checkpoint'
  if (fullName.endsWith('.Position')) return 'position'
  return fullName.endsWith('.SourceStatus') ? String(record['sourceSystem']) : `${String(record['topic'])}/${String(record['partition'])}/${String(record['offset'])}`
}

/** A registry that knows our contracts, under the numbers of their order, and one schema that is none of them. */
async function startRegistry(): Promise<Server> {
  const texts = ALL_CONTRACTS.map(({ schema }) => JSON.stringify(schema))
  const server = createServer((request, response) => {
    void (async () => {
      const id = /^\/schemas\/ids\/(-?\d+)$/.exec(request.url ?? '')?.[1]
      const body = id === undefined ? JSON.parse(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()) as { schema: string } : undefined
      const schema = id === undefined ? undefined : id === '0' ? '"string"' : texts[Number(id) - 100]
      const found = body !== undefined ? { id: 100 + texts.indexOf(body.schema) } : schema === undefined ? undefined : { schema }
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(found ?? { error_code: 40403, message: 'not found' }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function mib(bytes: number): number {
  return Math.round((bytes / 1024 / 1024) * 10) / 10
}
