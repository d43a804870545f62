import avro from 'avsc'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createGuard } from '@hub/schemas/guard'
import { createCodec, type Codec, type Decoded } from './codec.ts'
import { createLog } from './log.ts'

const log = createLog({ service: 'test', level: 'silent' })
const fields = [{ name: 'id', type: 'string' }, { name: 'note', type: ['null', 'string'], default: null }]
const contract = { fullName: 'test.R', schema: { type: 'record', name: 'R', namespace: 'test', fields } }
const grown = { ...contract.schema, fields: [...fields, { name: 'extra', type: ['null', 'int'], default: null }] }

let cacheDir: string
let registry: Stub

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'codec-'))
  registry = await startStub()
  registry.schemas.set(7, JSON.stringify(contract.schema))
})
afterEach(async () => {
  await registry[Symbol.asyncDispose]()
  await rm(cacheDir, { recursive: true })
})

describe('the wire', () => {
  test('what is written is read again, framed as Confluent does, with the registered id', async () => {
    const codec = await open()
    const writer = await codec.writer('test.R')
    const wire = writer.encode({ id: 'a', note: '乙' })
    expect([writer.schemaId, wire[0], wire.readInt32BE(1)]).toEqual([7, 0, 7])
    expect(codec.decode(wire)).toMatchObject({ ok: true, fullName: 'test.R', record: { id: 'a', note: '乙' } })
  })

  test('encoded events do not share memory, and long ones grow the buffer', async () => {
    const codec = await open()
    const { encode } = await codec.writer('test.R')
    const short = encode({ id: 'a', note: null })
    const long = encode({ id: 'x'.repeat(200_000), note: null })
    encode({ id: 'b', note: null })
    expect(codec.decode(short)).toMatchObject({ record: { id: 'a' } })
    expect(codec.decode(long)).toMatchObject({ record: { id: 'x'.repeat(200_000) } })
  })

  test('an encoded event with another value is as if it had been encoded with it', async () => {
    const { encode, amend } = await (await open()).writer('test.R')
    expect(amend(encode({ id: 'a', note: '乙' }), { note: null })).toEqual(encode({ id: 'a', note: null }))
  })

  test('every bad event gets its reason, none throws', async () => {
    const codec = await open()
    const { encode } = await codec.writer('test.R')
    const good = encode({ id: 'a', note: null })
    expect(reason(codec.decode(Buffer.alloc(0)))).toBe('not-avro-framed')
    expect(reason(codec.decode(Buffer.from([0, 0, 0])))).toBe('not-avro-framed')
    expect(reason(codec.decode(Buffer.from('{"id":"a"}')))).toBe('not-avro-framed')
    expect(reason(codec.decode(good.subarray(0, -1)))).toBe('bounds')
    expect(reason(codec.decode(Buffer.concat([good, Buffer.from([0])])))).toBe('bounds')
    expect(reason(codec.decode(framed(7, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]))))).toBe('bounds')
  })

  test('a number no JavaScript number holds is undecodable, not a crash', async () => {
    const schema = { type: 'record', name: 'R', namespace: 'test', fields: [{ name: 'n', type: 'long' }] }
    registry.schemas.set(7, JSON.stringify(schema))
    const codec = await open([{ fullName: 'test.R', schema }])
    expect(reason(await decodeSoon(codec, framed(7, Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))))).toBe('undecodable')
  })
})

describe('schemas by id', () => {
  test('an id is asked for once, however many events wait for it', async () => {
    const codec = await open()
    const wire = framed(7, avro.Type.forSchema(contract.schema as avro.Schema).toBuffer({ id: 'a', note: null }))
    const first = codec.decode(wire)
    const second = codec.decode(wire)
    expect(pending(first)).toBe(pending(second))
    await pending(first)
    expect(codec.decode(wire)).toMatchObject({ ok: true, record: { id: 'a' } })
    expect(registry.asked('/schemas/ids/7')).toBe(1)
  })

  test('an event of another version is read with our contract', async () => {
    registry.schemas.set(8, JSON.stringify(grown))
    const codec = await open()
    const wire = framed(8, avro.Type.forSchema(grown as avro.Schema).toBuffer({ id: 'a', note: 'n', extra: 5 }))
    const decoded = await decodeSoon(codec, wire)
    expect(decoded).toMatchObject({ ok: true, record: { id: 'a', note: 'n' } })
    expect(decoded).not.toHaveProperty('record.extra')
  })

  test('an id the registry does not have is bad, and is not asked for again at once', async () => {
    const codec = await open()
    const wire = framed(999, Buffer.from([0]))
    expect(reason(await decodeSoon(codec, wire))).toBe('unknown-schema')
    expect(reason(codec.decode(wire))).toBe('unknown-schema')
    expect(registry.asked('/schemas/ids/999')).toBe(1)
  })

  test('an id may become known: after a while it is asked for again', async () => {
    const codec = await open()
    const wire = framed(9, avro.Type.forSchema(contract.schema as avro.Schema).toBuffer({ id: 'a', note: null }))
    expect(reason(await decodeSoon(codec, wire))).toBe('unknown-schema')
    registry.schemas.set(9, JSON.stringify(contract.schema))
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 60_000)
    try {
      expect(await decodeSoon(codec, wire)).toMatchObject({ ok: true })
    } finally {
      clock.mockRestore()
    }
  })

  test('a 404 of something in between is no answer: nobody parks events because of a wrong address', async () => {
    registry.answer = (_request, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>')
    const codec = await open()
    await expect(pending(codec.decode(framed(5, Buffer.alloc(1))))).rejects.toMatchObject({ retriable: true })
    registry.answer = (_request, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"no route"}')
    await expect(pending(codec.decode(framed(5, Buffer.alloc(1))))).rejects.toMatchObject({ retriable: true })
  })

  test.each([
    ['a refused connection', () => registry.stop()],
    ['an error of the registry', () => { registry.answer = (_request, response) => response.writeHead(500).end('{"error_code":50001}') }],
    ['an answer that is none', () => { registry.answer = (_request, response) => response.writeHead(200).end('hello') }],
    ['an answer without a schema', () => { registry.answer = (_request, response) => response.writeHead(200).end('{}') }],
    ['a broken connection', () => { registry.answer = (request) => request.socket.destroy() }],
  ])('%s is silence: the event waits and is decided later', async (_what, breakIt) => {
    const codec = await open()
    await breakIt()
    const wire = framed(7, avro.Type.forSchema(contract.schema as avro.Schema).toBuffer({ id: 'a', note: null }))
    await expect(pending(codec.decode(wire))).rejects.toMatchObject({ retriable: true })
    expect(pending(codec.decode(wire))).toBeInstanceOf(Promise)
    await pending(codec.decode(wire)).catch(() => {})
    registry.answer = undefined
    await registry.restart()
    await vi.waitFor(async () => expect(await decodeSoon(codec, wire)).toMatchObject({ ok: true, record: { id: 'a' } }), 5_000)
  })

  test.each([
    ['another record', JSON.stringify({ ...contract.schema, name: 'S' })],
    ['no record', '"string"'],
    ['null', 'null'],
    ['not Avro at all', 'syntax = "proto3";'],
    ['our name with fields that do not fit', JSON.stringify({ ...contract.schema, fields: [{ name: 'other', type: 'int' }] })],
    ['our name, containing itself', JSON.stringify({ ...contract.schema, fields: [...fields, { name: 'next', type: ['null', 'R'], default: null }] })],
    ['our name, with items that take no bytes', JSON.stringify({ ...contract.schema, fields: [...fields, { name: 'nulls', type: { type: 'array', items: 'null' } }] })],
  ])('a schema that is %s makes its events bad and nothing else', async (_what, schema) => {
    registry.schemas.set(11, schema)
    const codec = await open()
    expect(reason(await decodeSoon(codec, framed(11, Buffer.from([0, 0]))))).toBe('unknown-contract')
    const writer = await codec.writer('test.R')
    expect(codec.decode(writer.encode({ id: 'a', note: null }))).toMatchObject({ ok: true })
  })
})

describe('without the registry', () => {
  test('a codec that has seen its schemas starts, writes and reads from disk', async () => {
    registry.schemas.set(8, JSON.stringify(grown))
    const before = await open()
    const wire = (await before.writer('test.R')).encode({ id: 'a', note: null })
    const other = framed(8, avro.Type.forSchema(grown as avro.Schema).toBuffer({ id: 'b', note: null, extra: 1 }))
    await decodeSoon(before, other)
    await registry.stop()

    const codec = await open()
    expect(codec.decode(wire)).toMatchObject({ ok: true, record: { id: 'a' } })
    expect(codec.decode(other)).toMatchObject({ ok: true, record: { id: 'b' } })
    expect((await codec.writer('test.R')).encode({ id: 'a', note: null })).toEqual(wire)
  })

  test('a writer that never had an id fails for now, and gets it when the registry is back', async () => {
    await registry.stop()
    const codec = await open()
    await expect(codec.writer('test.R')).rejects.toMatchObject({ code: 'REGISTRY_SILENT', retriable: true })
    await registry.restart()
    await vi.waitFor(async () => expect((await codec.writer('test.R')).schemaId).toBe(7), 5_000)
  })

  test('an id kept for another text of the contract is not used', async () => {
    await (await open()).writer('test.R')
    await registry.stop()
    const codec = await open([{ fullName: 'test.R', schema: grown }])
    await expect(codec.writer('test.R')).rejects.toMatchObject({ code: 'REGISTRY_SILENT' })
  })

  test('a damaged file is fetched again, its neighbours are used', async () => {
    await (await open()).writer('test.R')
    for (const file of ['7.json', '12.json']) await writeFile(join(cacheDir, file), '{"sha256":"00","schema":"{}"}')
    const codec = await open()
    const wire = framed(7, avro.Type.forSchema(contract.schema as avro.Schema).toBuffer({ id: 'a', note: null }))
    expect(await decodeSoon(codec, wire)).toMatchObject({ ok: true, record: { id: 'a' } })
    expect((await readdir(cacheDir)).every((file) => !file.endsWith('.tmp'))).toBe(true)
  })

  test('a folder that cannot be written does not stop reading and writing', async () => {
    const codec = await open()
    await rm(cacheDir, { recursive: true })
    const writer = await codec.writer('test.R')
    expect(codec.decode(writer.encode({ id: 'a', note: null }))).toMatchObject({ ok: true })
    cacheDir = await mkdtemp(join(tmpdir(), 'codec-'))
  })
})

test('a contract that nobody registered is named with what to do', async () => {
  registry.schemas.clear()
  const codec = await open()
  await expect(codec.writer('test.R')).rejects.toMatchObject({ code: 'CONTRACT_UNREGISTERED', retriable: false, message: expect.stringContaining('hub schemas register') })
  await expect(codec.writer('test.Other')).rejects.toMatchObject({ code: 'CONTRACT_UNKNOWN' })
})

function open(contracts: { fullName: string; schema: unknown }[] = [contract]): Promise<Codec> {
  return createCodec({ registryUrl: registry.url, cacheDir, contracts, guard: createGuard, log })
}

function framed(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, body])
}

function reason(decoded: Decoded): string | undefined {
  return decoded.ok ? undefined : decoded.reason
}

function pending(decoded: Decoded): Promise<void> {
  if (!('pending' in decoded)) throw new Error('decided at once')
  return decoded.pending
}

async function decodeSoon(codec: Codec, wire: Buffer): Promise<Decoded> {
  const decoded = codec.decode(wire)
  if (!('pending' in decoded)) return decoded
  await decoded.pending
  return codec.decode(wire)
}

interface Stub extends AsyncDisposable {
  readonly url: string
  readonly schemas: Map<number, string>
  /** Answers in the stub's place. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  asked(path: string): number
  stop(): Promise<void>
  restart(): Promise<void>
}

/** The two calls of a Confluent registry that a service makes, for what no real registry can be made to do. */
async function startStub(): Promise<Stub> {
  const asked: string[] = []
  let port = 0
  let server: Server | undefined
  const stub: Stub = {
    get url() { return `http://127.0.0.1:${port}` },
    schemas: new Map(),
    answer: undefined,
    asked: (path) => asked.filter((one) => one === path).length,
    async stop() {
      const closing = server
      server = undefined
      closing?.closeAllConnections()
      await new Promise<void>((resolve) => (closing === undefined ? resolve() : closing.close(() => resolve())))
    },
    async restart() {
      await stub.stop()
      server = createServer((request, response) => void handle(request, response))
      await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve))
      port = (server.address() as { port: number }).port
    },
    [Symbol.asyncDispose]: () => stub.stop(),
  }
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked.push(request.url ?? '')
    if (stub.answer !== undefined) return stub.answer(request, response)
    const id = /^\/schemas\/ids\/(-?\d+)$/.exec(request.url ?? '')?.[1]
    let found: object | undefined
    if (id !== undefined) {
      const schema = stub.schemas.get(Number(id))
      found = schema === undefined ? undefined : { schema }
    } else {
      const body = JSON.parse(Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString()) as { schema: string }
      const known = [...stub.schemas].find(([, schema]) => schema === body.schema)
      found = known === undefined ? undefined : { id: known[0] }
    }
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { error_code: id === undefined ? 40401 : 40403, message: 'not found' }))
  }
  await stub.restart()
  return stub
}
