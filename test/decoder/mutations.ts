import { between } from '../data/random.ts'
import { type Site, varint } from './sites.ts'

/** A good event and what is known of its bytes. */
export interface Seed {
  readonly wire: Buffer
  readonly sites: readonly Site[]
}

/** Counts and lengths around every bound: none, one, what a process dies of (security reference 3.1), and more than a number holds. */
const NUMBERS = [0n, 1n, -1n, 2n, 63n, 64n, -64n, 127n, 200n, 8_191n, 65_536n, 262_143n, 262_144n, 262_145n, 1_048_576n, 10_000_000n, 100_000_000n, 300_000_000n, 1_000_000_000n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n),
  2n ** 32n, 2n ** 35n, 2n ** 53n, 10n ** 15n, 2n ** 62n, -(2n ** 62n), 2n ** 63n - 1n, -(2n ** 63n)].flatMap((number) => [number, -number])
const BYTES = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xc0, 0xed, 0xfe, 0xff]

type Random = () => number
type Mutation = (random: Random, seed: Seed, seeds: readonly Seed[]) => Buffer

/** Every way of damaging an event, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'one bit': (random, { wire }) => {
    const bytes = Buffer.from(wire)
    const at = place(random, bytes)
    bytes[at] = bytes[at]! ^ (1 << between(random, 0, 7))
    return bytes
  },
  'one byte': (random, { wire }) => {
    const bytes = Buffer.from(wire)
    bytes[place(random, bytes)] = one(random, BYTES)
    return bytes
  },
  'cut off': (random, { wire }) => wire.subarray(0, place(random, wire)),
  'bytes behind': (random, { wire }) => Buffer.concat([wire, noise(random, between(random, 1, 40))]),
  'bytes taken out': (random, { wire }) => {
    const at = place(random, wire)
    return Buffer.concat([wire.subarray(0, at), wire.subarray(at + between(random, 1, 12))])
  },
  'bytes put in': (random, { wire }) => splice(wire, place(random, wire), 0, noise(random, between(random, 1, 12))),
  'a part again and again': (random, { wire }) => {
    const at = place(random, wire)
    const part = wire.subarray(at, at + between(random, 1, 60))
    return splice(wire, at, 0, Buffer.concat(Array.from({ length: one(random, [1, 2, 10, 300]) }, () => part)))
  },
  'the head of one and the tail of another': (random, { wire }, seeds) => {
    const other = one(random, seeds).wire
    return Buffer.concat([wire.subarray(0, place(random, wire)), other.subarray(place(random, other))])
  },
  'another schema id': (random, { wire }, seeds) => {
    const bytes = Buffer.from(wire)
    if (random() < 0.5) one(random, seeds).wire.copy(bytes, 0, 0, 5)
    else bytes.writeInt32BE(one(random, [0, 1, -1, 99_999, 2 ** 31 - 1, -(2 ** 31)]), 1)
    return bytes
  },
  'another magic byte': (random, { wire }) => splice(wire, 0, 1, Buffer.from([between(random, 1, 255)])),
  'another number': (random, seed) => {
    const site = one(random, seed.sites)
    return splice(seed.wire, site.at, site.length, varint(one(random, NUMBERS)))
  },
  'another count, length or index': (random, seed) => {
    const counts = seed.sites.filter(({ what }) => what !== 'number')
    const site = one(random, counts.length > 0 ? counts : seed.sites)
    return splice(seed.wire, site.at, site.length, varint(one(random, NUMBERS)))
  },
  'two of them': (random, seed) => {
    const [first, second] = [one(random, seed.sites), one(random, seed.sites)].sort((a, b) => b.at - a.at) as [Site, Site]
    return splice(splice(seed.wire, first.at, first.length, varint(one(random, NUMBERS))), second.at, second.length, varint(one(random, NUMBERS)))
  },
  'a count and a size before the block': (random, seed) => {
    const blocks = seed.sites.filter(({ what }) => what === 'block count')
    const site = one(random, blocks.length > 0 ? blocks : seed.sites)
    return splice(seed.wire, site.at, site.length, Buffer.concat([varint(-BigInt(between(random, 1, 4))), varint(one(random, [0n, 1n, 8n, 40n, 2n ** 31n, -1n]))]))
  },
  'a number that never ends': (random, seed) => {
    const site = one(random, seed.sites)
    return splice(seed.wire, site.at, site.length, Buffer.alloc(between(random, 4, 24), 0x80 | between(random, 0, 127)))
  },
  'a number longer than it need be': (random, seed) => {
    const site = one(random, seed.sites)
    const long = Buffer.from(seed.wire.subarray(site.at, site.at + site.length))
    long[long.length - 1] = long[long.length - 1]! | 0x80
    return splice(seed.wire, site.at, site.length, Buffer.concat([long, Buffer.alloc(between(random, 0, 4), 0x80), Buffer.from([0])]))
  },
  noise: (random, { wire }) => noise(random, between(random, 0, wire.length)),
  'noise behind a good frame': (random, { wire }) => Buffer.concat([wire.subarray(0, 5), noise(random, one(random, [0, 1, 5, 40, 400]))]),
}

function one<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!
}

function place(random: Random, bytes: Buffer): number {
  return between(random, 0, Math.max(0, bytes.length - 1))
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => (random() < 0.3 ? one(random, BYTES) : between(random, 0, 255))))
}

function splice(bytes: Buffer, at: number, remove: number, put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + remove)])
}
