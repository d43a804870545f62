import { describe, expect, it } from 'vitest'
import { judgePair } from './localise.ts'
import type { Pair } from './store/replay.ts'

const WHOLE = { from: 100, next: 120, completeFrom: 0 }
const COMPACTED = { ...WHOLE, completeFrom: 60 }
const ONE = Buffer.alloc(16, 1)
const TWO = Buffer.alloc(16, 2)

describe('a row beside what the log makes of its key', () => {
  it('is the same where version, bytes and offset are', () => expect(judgePair({ log: log(), here: here() }, WHOLE)).toBe('same'))
  it('is missing', () => expect(judgePair({ log: log(), here: undefined }, WHOLE)).toBe('missing'))
  it('is one too many where the log never had its key', () => expect(judgePair({ log: undefined, here: here() }, WHOLE)).toBe('surplus'))
  it('is one too many where it claims an offset that is still to come', () => expect(judgePair({ log: undefined, here: here({ offset: 120 }) }, WHOLE)).toBe('surplus'))
  it('is changed where its bytes are not those of its hash', () => expect(judgePair({ log: log(), here: here({ bodyHash: TWO }) }, WHOLE)).toBe('changed'))
  it('is changed where hash and bytes agree and are others', () => expect(judgePair({ log: log(), here: here({ hash: TWO, bodyHash: TWO }) }, WHOLE)).toBe('changed'))
  it('is changed where its version is another', () => expect(judgePair({ log: log(), here: here({ version: 9n }) }, WHOLE)).toBe('changed'))
  it('is changed where it stands at another offset of a whole log', () => expect(judgePair({ log: log(), here: here({ offset: 40 }) }, WHOLE)).toBe('changed'))
  it('is left out where it came after the replay', () => expect(judgePair({ log: log(), here: here({ offset: 110, version: 9n, hash: TWO, bodyHash: TWO }) }, WHOLE)).toBe('newer'))
  it('a key with bad events alone has no row', () => {
    expect(judgePair({ log: log({ version: null, offset: null, hash: null }), here: undefined }, WHOLE)).toBe('same')
    expect(judgePair({ log: log({ version: null, offset: null, hash: null }), here: here() }, WHOLE)).toBe('surplus')
  })
})

describe('below the offset from which the log is complete', () => {
  it('the same version at an earlier offset is the same: its first copy was compacted away', () => expect(judgePair({ log: log(), here: here({ offset: 20 }) }, COMPACTED)).toBe('same'))
  it('a newer version that the log lost cannot be verified', () => expect(judgePair({ log: log(), here: here({ offset: 20, version: 9n, hash: TWO, bodyHash: TWO }) }, COMPACTED)).toBe('unverifiable'))
  it('an older version is wrong all the same', () => expect(judgePair({ log: log(), here: here({ offset: 20, version: 1n, hash: TWO, bodyHash: TWO }) }, COMPACTED)).toBe('changed'))
  it('bytes that are not those of the hash are wrong all the same', () => expect(judgePair({ log: log(), here: here({ offset: 20, version: 9n, bodyHash: TWO }) }, COMPACTED)).toBe('changed'))
  it('a row whose key the log never had is one too many all the same', () => expect(judgePair({ log: undefined, here: here({ offset: 20 }) }, COMPACTED)).toBe('surplus'))
})

function log(over: Partial<NonNullable<Pair['log']>> = {}): Pair['log'] {
  return { version: 3n, offset: 50, hash: ONE, ended: false, body: Buffer.alloc(0), ...over }
}

function here(over: Partial<NonNullable<Pair['here']>> = {}): Pair['here'] {
  return { version: 3n, offset: 50, ended: false, change: 7n, hash: ONE, bodyHash: ONE, body: Buffer.alloc(0), kept: '', ...over }
}
