import { describe, expect, test } from 'vitest'
import { countedBySource, decidePublication, type IncomingVersion, type PublishedVersion, type VersionOrigin } from './publish-decision.ts'

describe('a record nobody has published', () => {
  test('takes the version of its source, its update time, or 1', () => {
    expect(decide([], source(7), 'a')).toEqual({ verdict: 'accepted', version: 7 })
    expect(decide([], time(1_700_000_000_000), 'a')).toEqual({ verdict: 'accepted', version: 1_700_000_000_000 })
    expect(decide([], counter, 'a')).toEqual({ verdict: 'accepted', version: 1 })
  })
})

describe('a version number of the source', () => {
  const history = [row(3, 'a'), row(5, 'b')]

  test('above the newest is a new version, whatever the body', () => {
    expect(decide(history, source(6), 'c')).toEqual({ verdict: 'new-version', version: 6 })
    expect(decide(history, source(6), 'b')).toEqual({ verdict: 'new-version', version: 6 })
  })
  test('known with the same body is a duplicate of the first receipt', () => {
    expect(decide(history, source(5), 'b')).toEqual({ verdict: 'duplicate', of: history[1] })
    expect(decide(history, source(3), 'a')).toEqual({ verdict: 'duplicate', of: history[0] })
  })
  test('known with another body is a conflict', () => {
    expect(decide(history, source(5), 'c')).toEqual({ verdict: 'conflict', with: history[1] })
    expect(decide(history, source(3), 'b')).toEqual({ verdict: 'conflict', with: history[0] })
  })
  test('unknown and below the newest is stale', () => {
    expect(decide(history, source(4), 'c')).toMatchObject({ verdict: 'stale', reason: 'older-version', current: history[1] })
    expect(decide(history, source(4), 'b')).toMatchObject({ verdict: 'stale', reason: 'older-version' })
  })
})

describe('an update time', () => {
  const history = [row(1000, 'a'), row(2000, 'b')]

  test('orders bodies that differ', () => {
    expect(decide(history, time(3000), 'c')).toEqual({ verdict: 'new-version', version: 3000 })
    expect(decide(history, time(1500), 'c')).toMatchObject({ verdict: 'stale', reason: 'older-version' })
    expect(decide(history, time(2000), 'c')).toMatchObject({ verdict: 'conflict' })
  })
  test('stamped anew on an unchanged body publishes nothing', () => {
    expect(decide(history, time(3000), 'b')).toEqual({ verdict: 'duplicate', of: history[1] })
  })
  test('of an earlier version with that version\'s body is its duplicate', () => {
    expect(decide(history, time(1000), 'a')).toEqual({ verdict: 'duplicate', of: history[0] })
  })
})

describe('without a source version', () => {
  const history = [row(1, 'a'), row(2, 'b')]

  test('the current body is a duplicate, any other the next version, an earlier one included', () => {
    expect(decide(history, counter, 'b')).toEqual({ verdict: 'duplicate', of: history[1] })
    expect(decide(history, counter, 'c')).toEqual({ verdict: 'new-version', version: 3 })
    expect(decide(history, counter, 'a')).toEqual({ verdict: 'new-version', version: 3 })
  })
})

test('without a source version an earlier body is a duplicate where the same file came before', () => {
  const rows = [row(1, 'a'), row(2, 'b')]
  const history = { current: rows[1], find: () => undefined, findBody: (hash: Buffer) => rows.find((one) => one.hash.equals(hash)) }
  const incoming = { origin: counter, kind: 'original', ended: false }
  expect(decidePublication(history, { ...incoming, hash: Buffer.from('a'), again: true })).toEqual({ verdict: 'duplicate', of: rows[0] })
  expect(decidePublication(history, { ...incoming, hash: Buffer.from('a') })).toMatchObject({ verdict: 'new-version' })
  expect(decidePublication(history, { ...incoming, hash: Buffer.from('c'), again: true })).toMatchObject({ verdict: 'new-version' })
})

describe('an ended record', () => {
  const history = [row(1, 'a'), row(2, 'end', true)]

  test('does not come back by an event without a version', () => {
    expect(decide(history, counter, 'a')).toMatchObject({ verdict: 'stale', reason: 'ended' })
    expect(decide(history, counter, 'c', { kind: 'follow-up' })).toMatchObject({ verdict: 'stale', reason: 'ended' })
  })
  test('comes back as restored, or with a higher number of its source', () => {
    expect(decide(history, counter, 'a', { kind: 'restored' })).toEqual({ verdict: 'new-version', version: 3 })
    expect(decide(history, source(3), 'a')).toEqual({ verdict: 'new-version', version: 3 })
    expect(decide(history, source(1), 'a')).toMatchObject({ verdict: 'duplicate' })
  })
  test('may be ended again in another way, as an erasure after a removal', () => {
    expect(decide(history, counter, 'erased', { kind: 'erasure', ended: true })).toEqual({ verdict: 'new-version', version: 3 })
    expect(decide(history, counter, 'end', { kind: 'removal', ended: true })).toMatchObject({ verdict: 'duplicate' })
  })
})

describe('after an act of the hub', () => {
  const expired = [row(3, 'a'), row(4, 'b'), own(5, 'gone', 4)]

  test('the source goes on in its own count, above what is published', () => {
    expect(decide(expired, source(5), 'c')).toEqual({ verdict: 'new-version', version: 6, sourceVersion: 5 })
    expect(decide([...expired, { ...row(6, 'c'), sourceVersion: 5 }], source(6), 'd')).toEqual({ verdict: 'new-version', version: 7, sourceVersion: 6 })
    expect(decide([...expired, { ...row(6, 'c'), sourceVersion: 5 }], source(9), 'd')).toEqual({ verdict: 'new-version', version: 9 })
    expect(decide(expired, time(2000), 'c')).toEqual({ verdict: 'new-version', version: 2000 })
  })
  test('what the source had told before is what it was', () => {
    expect(decide(expired, source(4), 'b')).toEqual({ verdict: 'duplicate', of: expired[1] })
    expect(decide(expired, source(4), 'x')).toEqual({ verdict: 'conflict', with: expired[1] })
    expect(decide(expired, source(3), 'a')).toEqual({ verdict: 'duplicate', of: expired[0] })
    expect(decide(expired, source(2), 'x')).toMatchObject({ verdict: 'stale', reason: 'older-version' })
  })
  test('a record that its source stamps anew or lists again without a change stays ended', () => {
    expect(decide(expired, time(2000), 'b')).toEqual({ verdict: 'duplicate', of: expired[1] })
    expect(decide(expired, counter, 'b')).toEqual({ verdict: 'duplicate', of: expired[1] })
    expect(decide(expired, counter, 'c')).toMatchObject({ verdict: 'stale', reason: 'ended' })
    expect(decide(expired, counter, 'c', { kind: 'restored' })).toEqual({ verdict: 'new-version', version: 6 })
  })
  test('the act itself holds where nothing has come between, and once', () => {
    expect(decide([row(4, 'b')], { from: 'hub', after: 4 }, 'gone')).toEqual({ verdict: 'new-version', version: 5, sourceVersion: 4 })
    expect(decide(expired, { from: 'hub', after: 4 }, 'gone')).toEqual({ verdict: 'duplicate', of: expired[2] })
    expect(decide([row(4, 'b'), row(5, 'c')], { from: 'hub', after: 4 }, 'gone')).toMatchObject({ verdict: 'stale', reason: 'older-version' })
  })
})

describe('taken back', () => {
  const back = [row(3, 'a'), row(4, 'b'), own(5, 'void', 0)]

  test('everything may be told again, under the same numbers or without any', () => {
    expect(decide([row(4, 'b')], { from: 'hub', after: 4, asNeverTold: true }, 'void')).toEqual({ verdict: 'new-version', version: 5, sourceVersion: 0 })
    expect(decide(back, source(3), 'a')).toEqual({ verdict: 'new-version', version: 6, sourceVersion: 3 })
    expect(decide(back, time(4), 'b')).toEqual({ verdict: 'new-version', version: 6, sourceVersion: 4 })
    expect(decide(back, counter, 'b')).toEqual({ verdict: 'new-version', version: 6 })
  })
  test('what was told again counts, and not what stood before', () => {
    const again = [...back, { ...row(6, 'corrected'), sourceVersion: 3 }]
    expect(decide(again, source(3), 'corrected')).toEqual({ verdict: 'duplicate', of: again[3] })
    expect(decide(again, source(3), 'a')).toEqual({ verdict: 'conflict', with: again[3] })
    expect(decide(again, source(4), 'b')).toEqual({ verdict: 'new-version', version: 7, sourceVersion: 4 })
  })
})

test('an erased record comes back as restored alone, whatever its source counts', () => {
  const erased = [row(4, ''), { ...own(5, 'erased', 4), erased: true }]
  for (const origin of [source(9), time(9), counter]) expect(decide(erased, origin, 'c')).toMatchObject({ verdict: 'stale', reason: 'erased' })
  expect(decide(erased, source(9), 'c', { kind: 'restored' })).toEqual({ verdict: 'new-version', version: 9 })
})

const counter: VersionOrigin = { from: 'counter' }

function source(version: number): VersionOrigin {
  return { from: 'source', version }
}

function time(version: number): VersionOrigin {
  return { from: 'time', version }
}

function row(version: number, body: string, ended = false): PublishedVersion {
  return { version, hash: Buffer.from(body), eventId: `event-${version}`, ended }
}

function own(version: number, body: string, sourceVersion: number): PublishedVersion {
  return { ...row(version, body, true), own: true, sourceVersion }
}

function decide(rows: PublishedVersion[], origin: VersionOrigin, body: string, extra: Partial<IncomingVersion> = {}) {
  return decidePublication(
    { current: rows.at(-1), find: (version) => rows.findLast((r) => r.own !== true && countedBySource(r) === version) },
    { origin, hash: Buffer.from(body), kind: 'original', ended: false, ...extra },
  )
}
