import avro from 'avsc'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createGuard } from './guard.ts'

const wrap = (type: unknown): unknown => ({ type: 'record', name: 'R', namespace: 'test', fields: [{ name: 'a', type }] })
const array = (items: unknown): unknown => ({ type: 'array', items })

/** The encoding of a whole number: zigzag, seven bits a byte. */
function varint(value: bigint): number[] {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n
  const bytes: number[] = []
  for (; rest >= 0x80n; rest /= 128n) bytes.push(Number(rest % 128n) | 0x80)
  return [...bytes, Number(rest)]
}

describe('inputs that end the process or starve it without a guard (security reference 3.1)', () => {
  test.each([
    ['array<string>', array('string'), 10_000_000n],
    ['array<int>', array('int'), 10_000_000n],
    ['array<string>', array('string'), 100_000_000n],
    ['array<string>', array('string'), 300_000_000n],
    ['map<string>', { type: 'map', values: 'string' }, 300_000_000n],
    ['array<string>, bytes of a count no number holds', array('string'), 2n ** 62n],
  ])('%s of a count without data', (_what, type, count) => {
    const guard = createGuard(wrap(type))
    for (const tail of [[], [0], Array<number>(60).fill(0)]) {
      expect(guard(Buffer.from([...varint(count), ...tail]), 0)).toEqual({ ok: false, reason: 'block count' })
      expect(guard(Buffer.from([...varint(-count), ...varint(0n), ...tail]), 0)).toEqual({ ok: false, reason: 'block count' })
    }
  })

  test.each([
    ['array<null>', array('null')],
    ['an array of empty records', array({ type: 'record', name: 'E', fields: [] })],
    ['an array of records of nulls', array({ type: 'record', name: 'E', fields: [{ name: 'n', type: 'null' }] })],
    ['an array of fixed of no size', array({ type: 'fixed', name: 'F', size: 0 })],
  ])('%s: items without bytes have no bound, so the schema is refused', (_what, type) => {
    expect(() => createGuard(wrap(type))).toThrow(/no bytes/)
  })

  test('a record that contains itself is refused, directly or by way of others', () => {
    const direct = { type: 'record', name: 'N', fields: [{ name: 'next', type: ['null', 'N'] }] }
    const round = { type: 'record', name: 'A', namespace: 'x', fields: [{ name: 'b', type: { type: 'record', name: 'B', fields: [{ name: 'as', type: array('x.A') }] } }] }
    expect(() => createGuard(direct)).toThrow(/contains itself/)
    expect(() => createGuard(round)).toThrow(/contains itself/)
  })

  test('references that double at every level are refused at once', () => {
    let type: unknown = 'null'
    for (let level = 0; level < 40; level++) type = { type: 'record', name: `L${level}`, fields: [{ name: 'a', type }, { name: 'b', type: level === 0 ? 'null' : `L${level - 1}` }] }
    expect(() => createGuard(type)).toThrow(/values/)
  })
})

describe('bounds', () => {
  const refuses = (type: unknown, bytes: number[], reason: string): void => expect(createGuard(wrap(type))(Buffer.from(bytes), 0)).toEqual({ ok: false, reason })
  const takes = (type: unknown, bytes: number[]): void => expect(createGuard(wrap(type))(Buffer.from(bytes), 0)).toEqual({ ok: true })

  test('strings and bytes fit into what is left', () => {
    takes('string', [4, 65, 66])
    takes('bytes', [0])
    takes('string', [...varint(70n), ...Array<number>(70).fill(65)])
    refuses('string', [6, 65, 66], 'length')
    refuses('string', [...varint(71n), ...Array<number>(70).fill(65)], 'length')
    refuses('string', [1], 'length')
    refuses('bytes', varint(2n ** 40n), 'length')
    refuses('bytes', varint(-(2n ** 62n)), 'length')
    refuses('bytes', Array<number>(20).fill(0xff), 'length')
    refuses('string', [], 'ends too early')
  })

  test('indexes of unions and enums exist', () => {
    takes(['null', 'string'], [0])
    takes(['null', 'string'], [2, 2, 65])
    refuses(['null', 'string'], [4], 'union index')
    refuses(['null', 'string'], [1], 'union index')
    refuses(['null', 'string'], varint(2n ** 50n), 'union index')
    takes({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, [2])
    refuses({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, [4], 'enum index')
    refuses({ type: 'enum', name: 'E', symbols: ['A', 'B'] }, [1], 'enum index')
  })

  test('numbers keep to their width', () => {
    takes('int', varint(2n ** 31n - 1n))
    takes('int', varint(-(2n ** 31n)))
    refuses('int', varint(2n ** 31n), 'int')
    refuses('int', [0x80, 0x80, 0x80, 0x80, 0x80, 0], 'int')
    refuses('int', [0x80], 'ends too early')
    takes('long', varint(2n ** 62n))
    refuses('long', [...Array<number>(10).fill(0x80), 0], 'long')
    takes('double', Array<number>(8).fill(0))
    refuses('double', Array<number>(7).fill(0), 'ends too early')
    takes('float', Array<number>(4).fill(0))
    takes({ type: 'fixed', name: 'F', size: 3 }, [1, 2, 3])
    refuses({ type: 'fixed', name: 'F', size: 3 }, [1, 2], 'ends too early')
  })

  test('blocks: several, with a byte size, with a wrong one', () => {
    takes(array('int'), [4, 2, 4, 2, 6, 0])
    takes(array('int'), [3, 4, 2, 4, 0])
    refuses(array('int'), [3, 6, 2, 4, 0], 'block size')
    refuses(array('int'), [3, 2, 2, 4, 0], 'block size')
    refuses(array('int'), [3, 100, 2, 4, 0], 'block size')
    refuses(array('int'), [3, 1, 2, 4, 0], 'block size')
    refuses(array('int'), [2, 2], 'block count')
    takes({ type: 'map', values: 'int' }, [2, 2, 65, 4, 0])
  })

  test('nothing may follow the value', () => {
    refuses('int', [2, 0], 'bytes behind the end')
  })

  test('an event longer than any that is published is not decoded', () => {
    refuses('bytes', [...varint(1_100_000n), ...Array<number>(1_100_000).fill(0)], 'too long')
  })

  test('an offset outside the bytes is answered, not thrown', () => {
    const guard = createGuard(wrap('int'))
    for (const offset of [-1, 1, 5, 1e9, NaN]) expect(guard(Buffer.from([2]), offset).ok).toBe(false)
  })

  test('named types are found by short and full name, in their namespace', () => {
    const schema = { type: 'record', name: 'R', namespace: 'a.b', fields: [
      { name: 'one', type: ['null', { type: 'record', name: 'P', fields: [{ name: 's', type: 'string' }] }] },
      { name: 'two', type: 'P' },
      { name: 'three', type: array('a.b.P') },
    ] }
    expect(createGuard(schema)(Buffer.from([0, 2, 65, 4, 2, 66, 2, 67, 0]), 0)).toEqual({ ok: true })
  })
})

describe('the real contracts', () => {
  test.each(['complaint/complaint', 'credit-blacklist/credit-record', 'inspection-failure/inspection-failure', 'checkpoint/checkpoint'])('%s: whatever the bytes, the guard answers, and what it lets pass decodes in bounded time', (name) => {
    const schema = JSON.parse(readFileSync(new URL(`./${name}.avsc`, import.meta.url), 'utf8')) as avro.Schema
    const type = avro.Type.forSchema(schema)
    const guard = createGuard(schema)
    const random = generator(name.length * 7919)
    const seeds = Array.from({ length: 20 }, () => type.toBuffer(type.random()))
    for (const seed of seeds) expect(guard(Buffer.concat([Buffer.alloc(5), seed]), 5)).toEqual({ ok: true })

    const until = performance.now() + 1_000
    let passed = 0
    let refused = 0
    while (performance.now() < until && passed + refused < 100_000) {
      for (let round = 0; round < 200; round++) {
        const bytes = mutate(seeds[random(seeds.length)]!, random)
        if (!guard(bytes, 0).ok) {
          refused++
          continue
        }
        passed++
        // Longs beyond 2^53 are refused by the decoder itself, in order.
        try {
          type.decode(bytes, 0)
        } catch (error) {
          expect((error as Error).message).toMatch(/potential precision loss/)
        }
      }
    }
    expect(passed).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(1_000)
  })
})

function mutate(seed: Buffer, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(seed)
  if (bytes.length === 0) return bytes
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(bytes.length)
    switch (random(5)) {
      case 0: bytes[at] = random(256); break
      case 1: bytes[at] = bytes[at]! ^ (1 << random(8)); break
      case 2: return Buffer.concat([bytes.subarray(0, at), Buffer.from(varint(BigInt(random(2 ** 31)) ** 2n)), bytes.subarray(at)])
      case 3: return bytes.subarray(0, at)
      default: bytes.fill(0xff, at, Math.min(bytes.length, at + 1 + random(12)))
    }
  }
  return bytes
}

/** Whole numbers below a bound, the same in every run (mulberry32). */
function generator(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
