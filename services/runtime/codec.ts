import avro from 'avsc'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { HubError } from './errors.ts'
import type { Log } from './log.ts'

/** Checks every length and count of an encoded record before avsc allocates for it (security reference 3). */
export type Guard = (bytes: Buffer, offset: number) => { readonly ok: true } | { readonly ok: false; readonly reason: string }

export interface CodecContract {
  readonly fullName: string
  /** Avro schema, parsed JSON. */
  readonly schema: unknown
}

export interface Writer {
  readonly schemaId: number
  /** Confluent wire format: 0x00, schema id as int32 BE, Avro body. */
  encode(record: object): Buffer
  /** What `encode` made, with other values of some fields. */
  amend(wire: Buffer, values: object): Buffer
}

export type Decoded =
  | { readonly ok: true; readonly fullName: string; readonly record: Record<string, unknown> }
  | { readonly ok: false; readonly reason: 'not-avro-framed' | 'unknown-schema' | 'bounds' | 'undecodable' | 'unknown-contract'; readonly detail: string }
  | { readonly ok: false; readonly reason?: undefined; readonly pending: Promise<void> }

export interface Codec {
  /** The registered schema id of our contract; from disk when the registry is silent. Fails when nobody has registered it. */
  writer(fullName: string): Promise<Writer>
  /**
   * Synchronous for every id seen before. `pending` = the id must be fetched: await it and decode again; it rejects (retriable) while the
   * registry is silent. Whether an event is bad depends on its bytes and the released contracts alone, so a 404 is an answer, silence is not.
   */
  decode(wire: Buffer): Decoded
  /** Whose bytes these are, to the letter: the name of our contract if they were written with this very version of it; of another, and of one not seen yet, undefined. */
  exactly(wire: Buffer): string | undefined
}

export interface CodecOptions {
  readonly registryUrl: string
  /** Every schema seen is kept here: ids are immutable, so the codec starts and runs without the registry. */
  readonly cacheDir: string
  readonly contracts: readonly CodecContract[]
  readonly guard: (schema: unknown) => Guard
  readonly log: Log
}

interface Reader {
  readonly fullName: string
  /** Written with our own version of the contract. */
  readonly same: boolean
  readonly guard: Guard
  readonly decode: (wire: Buffer) => unknown
}

const HEADER_BYTES = 5
const UNKNOWN_FOR_MS = 30_000
/** Unknown ids remembered at a time: any event can name another one. */
const MAX_UNKNOWN = 10_000
/** What the registry itself answers for an unknown subject, version or schema; a 404 without it comes from something in between. */
const NOT_THERE = new Set([40401, 40402, 40403])
const REGISTRY_TIMEOUT_MS = 5_000

/**
 * Asks for JSON. Not by `fetch`: its parser is WebAssembly, and a thread that ends with it while another thread runs the same module can take the process down (SIGSEGV in
 * V8's WasmEngine::FreeDeadCode, Node 24.21). Imports run in threads of their own and ask the registry.
 */
async function ask(url: string, body?: unknown): Promise<{ status: number; answer: unknown }> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
    signal: AbortSignal.timeout(REGISTRY_TIMEOUT_MS),
    ...(text !== undefined && { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } }),
  })
  // Of a failure behind the response its body tells.
  request.on('error', () => {})
  request.end(text)
  const [response] = await once(request, 'response') as [IncomingMessage]
  return { status: response.statusCode!, answer: await json(response) }
}

export async function createCodec(options: CodecOptions): Promise<Codec> {
  const types = new Map(options.contracts.map((contract) => [contract.fullName, parse(contract.schema)]))
  /** A text instead of a reader says why events with this schema cannot be ours. */
  const readers = new Map<number, Reader | string>()
  const missing = new Map<number, number>()
  const loading = new Map<number, Promise<void>>()
  const writers = new Map<string, Promise<Writer>>()
  await mkdir(options.cacheDir, { recursive: true })
  await loadDisk()

  /** A schema that is not ours, cannot be guarded or does not fit our contract makes its events bad, not this process. */
  function learn(id: number, text: string): void {
    try {
      readers.set(id, readerOf(JSON.parse(text)))
    } catch (error) {
      readers.set(id, `schema id ${id} cannot be read with our contracts: ${messageOf(error)}`)
    }
  }

  function readerOf(schema: unknown): Reader {
    const fullName = nameOf(schema)
    const ours = types.get(fullName)
    if (ours === undefined) throw new Error('not one of them')
    const writer = parse(schema)
    const same = writer.fingerprint('sha256').equals(ours.fingerprint('sha256'))
    // A resolver costs 160 µs to build and nothing to use: one per schema id.
    const resolver = same ? undefined : ours.createResolver(writer)
    return { fullName, same, guard: options.guard(schema), decode: (wire) => decodeAll(ours, wire, resolver) }
  }

  async function loadDisk(): Promise<void> {
    for (const file of await readdir(options.cacheDir)) {
      const match = /^(\d+)\.json$/.exec(file)
      if (match === null) continue
      try {
        const { sha256, schema } = JSON.parse(await readFile(join(options.cacheDir, file), 'utf8')) as { sha256: string; schema: string }
        if (hashOf(schema) !== sha256) throw new Error('checksum differs')
        learn(Number(match[1]), schema)
      } catch (error) {
        options.log.warn({ err: error, file }, 'schema in the disk cache is not usable, it will be fetched again')
      }
    }
  }

  /** The disk is a convenience: what cannot be kept is fetched again after a restart. */
  async function keep(file: string, value: object): Promise<void> {
    const path = join(options.cacheDir, file)
    try {
      await writeFile(`${path}.${process.pid}.tmp`, JSON.stringify(value))
      await rename(`${path}.${process.pid}.tmp`, path)
    } catch (error) {
      options.log.warn({ err: error, file }, 'cannot keep what the registry said')
    }
  }

  async function load(id: number): Promise<void> {
    const answer = await registry(`/schemas/ids/${id}`)
    if (answer === undefined) {
      if (missing.size >= MAX_UNKNOWN) missing.clear()
      missing.set(id, Date.now() + UNKNOWN_FOR_MS)
      return
    }
    const { schema } = answer as { schema?: unknown }
    if (typeof schema !== 'string') throw new HubError('REGISTRY_ERROR', `the schema registry gave no schema for id ${id}`, { retriable: true })
    learn(id, schema)
    await keep(`${id}.json`, { sha256: hashOf(schema), schema })
  }

  /** GET, or POST of a body; undefined = the registry has no such thing. Throws a retriable error for anything that may pass. */
  async function registry(path: string, body?: unknown): Promise<unknown> {
    let said: { readonly status: number; readonly answer: unknown }
    try {
      said = await ask(options.registryUrl + path, body)
    } catch (error) {
      throw new HubError('REGISTRY_SILENT', 'the schema registry does not answer', { retriable: true, cause: error })
    }
    const { status, answer } = said
    if (status >= 200 && status < 300) return answer
    if (status === 404 && NOT_THERE.has((answer as { error_code?: number }).error_code ?? 0)) return undefined
    throw new HubError('REGISTRY_ERROR', `the schema registry answered ${status}`, { retriable: true })
  }

  async function makeWriter(fullName: string): Promise<Writer> {
    const type = types.get(fullName)
    const contract = options.contracts.find((one) => one.fullName === fullName)
    if (type === undefined || contract === undefined) throw new HubError('CONTRACT_UNKNOWN', `no contract ${fullName}`)
    const text = JSON.stringify(contract.schema)
    const file = `writer-${fullName}-${hashOf(text).slice(0, 16)}.json`
    let id: number | undefined
    try {
      const answer = await registry(`/subjects/${encodeURIComponent(fullName)}`, { schema: text, schemaType: 'AVRO' })
      if (answer === undefined) throw new HubError('CONTRACT_UNREGISTERED', `${fullName} is not registered: run "hub schemas register" first`)
      id = (answer as { id: number }).id
      await keep(file, { id })
    } catch (error) {
      if (!(error instanceof HubError) || !error.retriable) throw error
      const stored = await readFile(join(options.cacheDir, file), 'utf8').catch(() => { throw error })
      id = (JSON.parse(stored) as { id: number }).id
      options.log.warn({ contract: fullName, schemaId: id }, 'registry silent, schema id taken from disk')
    }
    learn(id, text)
    await keep(`${id}.json`, { sha256: hashOf(text), schema: text })
    const encode = encoder(type, id)
    return { schemaId: id, encode, amend: (wire, values) => encode(Object.assign(decodeAll(type, wire, undefined) as object, values)) }
  }

  return {
    writer(fullName) {
      let writer = writers.get(fullName)
      if (writer === undefined) {
        writer = makeWriter(fullName)
        writers.set(fullName, writer)
        writer.catch(() => writers.delete(fullName))
      }
      return writer
    },
    exactly(wire) {
      const reader = wire.length < HEADER_BYTES ? undefined : readers.get(wire.readInt32BE(1))
      return typeof reader === 'object' && reader.same ? reader.fullName : undefined
    },
    decode(wire) {
      if (wire.length < HEADER_BYTES || wire[0] !== 0) return { ok: false, reason: 'not-avro-framed', detail: 'no magic byte and schema id' }
      const id = wire.readInt32BE(1)
      const reader = readers.get(id)
      if (reader === undefined) {
        const until = missing.get(id)
        if (until !== undefined && until > Date.now()) return { ok: false, reason: 'unknown-schema', detail: `schema id ${id} is not in the registry` }
        let pending = loading.get(id)
        if (pending === undefined) {
          pending = load(id).finally(() => loading.delete(id))
          loading.set(id, pending)
        }
        return { ok: false, pending }
      }
      if (typeof reader === 'string') return { ok: false, reason: 'unknown-contract', detail: reader }
      const checked = reader.guard(wire, HEADER_BYTES)
      if (!checked.ok) return { ok: false, reason: 'bounds', detail: checked.reason }
      try {
        return { ok: true, fullName: reader.fullName, record: reader.decode(wire) as Record<string, unknown> }
      } catch (error) {
        return { ok: false, reason: 'undecodable', detail: error instanceof Error ? error.name : 'Error' }
      }
    },
  }
}

function encoder(type: avro.Type, id: number): (record: object) => Buffer {
  let slab = Buffer.allocUnsafe(16 * 1024)
  return (record) => {
    let end = type.encode(record, slab, HEADER_BYTES)
    if (end < 0) {
      slab = Buffer.allocUnsafe(slab.length - end + 1024)
      end = type.encode(record, slab, HEADER_BYTES)
    }
    slab[0] = 0
    slab.writeInt32BE(id, 1)
    return Buffer.from(slab.subarray(0, end))
  }
}

function decodeAll(type: avro.Type, wire: Buffer, resolver: unknown): unknown {
  const { value, offset } = type.decode(wire, HEADER_BYTES, resolver as undefined) as { value: unknown; offset: number }
  if (offset !== wire.length) throw new Error(offset < 0 ? 'truncated' : 'trailing bytes')
  return value
}

function parse(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { registry: {} })
}

function nameOf(schema: unknown): string {
  const { name, namespace } = (schema ?? {}) as { name?: unknown; namespace?: unknown }
  if (typeof name !== 'string') return ''
  return name.includes('.') || typeof namespace !== 'string' ? name : `${namespace}.${name}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
