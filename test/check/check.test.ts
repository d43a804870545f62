import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { check, type Violation } from './check.ts'
import { appendHistory, readHistory, type HistoryLine } from './history.ts'
import type { PartitionRow, ReplicaState, VersionRow } from './replica-state.ts'

const TOPIC = 'zj.complaint'

/** Offset 0 is the genesis record; A has two versions, B ended at its second, C one. */
const HISTORY: HistoryLine[] = [
  { topic: TOPIC, key: 's/A', ver: 1, eventId: 'a1', outcome: 'ok' },
  { topic: TOPIC, key: 's/A', ver: 2, eventId: 'a2', outcome: 'ok' },
  { topic: TOPIC, key: 's/B', ver: 1, eventId: 'b1', outcome: 'ok' },
  { topic: TOPIC, key: 's/B', ver: 2, eventId: 'b2', outcome: 'ok' },
  { topic: TOPIC, key: 's/C', ver: 1, outcome: 'info' },
  { topic: TOPIC, key: 's/D', ver: 1, outcome: 'info' },
  { topic: TOPIC, key: 's/E', ver: 1, outcome: 'fail' },
]

const VERSIONS: VersionRow[] = [
  { topic: TOPIC, partition: 0, key: 's/A', version: 1n, eventId: 'a1', from: 1n, to: 2n, ended: false },
  { topic: TOPIC, partition: 0, key: 's/A', version: 2n, eventId: 'a2', from: 2n, to: null, ended: false },
  { topic: TOPIC, partition: 1, key: 's/B', version: 2n, eventId: 'b2', from: 2n, to: null, ended: true },
  { topic: TOPIC, partition: 0, key: 's/C', version: 1n, eventId: 'c1', from: 3n, to: null, ended: false },
]

const COUNTERS = { applied: 0n, duplicate: 0n, stale: 0n, folded: 0n, parked: 0n, control: 1n, absent: 0n, records: 0n, endedRecords: 0n, parkedOpen: 0n }
const PARTITIONS: PartitionRow[] = [
  { topic: TOPIC, partition: 0, firstOffset: 0n, nextOffset: 4n, ...COUNTERS, applied: 2n, folded: 1n, records: 2n },
  { topic: TOPIC, partition: 1, firstOffset: 0n, nextOffset: 3n, ...COUNTERS, applied: 2n, records: 1n, endedRecords: 1n },
]

const GOOD: ReplicaState[] = (['sh', 'js'] as const).map((region) => ({ region, partitions: PARTITIONS, versions: VERSIONS, parked: [] }))

test('replicas that hold what was sent pass, whatever became of a send nobody answered', () => {
  expect(check(HISTORY, GOOD)).toEqual([])
})

describe('a replica that was behind while the log was compacted', () => {
  const [sh, js] = GOOD as [ReplicaState, ReplicaState]
  /** Offset 1, A's first version, went before it was read. */
  const behind = { ...js, versions: js.versions.slice(1), partitions: js.partitions.map((one) => (one.partition === 0 ? { ...one, applied: 1n, absent: 1n } : one)) }

  test('lacks superseded versions alone', () => {
    expect(check(HISTORY, [sh, behind], { compacted: true })).toEqual([])
    expect(check(HISTORY, [sh, behind]).map(({ invariant }) => invariant)).toEqual(['V1', 'V6', 'V4'])
  })

  test('does not lack what is current, nor have anything else', () => {
    const without = { ...behind, versions: behind.versions.filter(({ key }) => key !== 's/A'), partitions: behind.partitions.map((one) => (one.partition === 0 ? { ...one, applied: 0n, absent: 2n, records: 1n } : one)) }
    expect(check(HISTORY, [sh, without], { compacted: true }).map(({ invariant, what }) => `${invariant} ${what}`)).toEqual([
      'V1 zj.complaint s/A version 1 was acknowledged and is missing', 'V1 zj.complaint s/A version 2 was acknowledged and is missing', 'V4 zj.complaint s/A is missing, in sh 2@2 a2',
    ])
  })
})

test('a restored record has its stub and what came after it', () => {
  const restored: HistoryLine[] = [...HISTORY, { topic: TOPIC, key: 's/B', ver: 3, eventId: 'b3', outcome: 'ok' }]
  const states = GOOD.map((one) => ({
    ...one,
    versions: [...one.versions.map((row) => (row.key === 's/B' ? { ...row, to: 3n } : row)), { ...VERSIONS[2]!, version: 3n, eventId: 'b3', from: 3n, ended: false }],
    partitions: one.partitions.map((row) => (row.partition === 1 ? { ...row, nextOffset: 4n, applied: 3n, endedRecords: 0n } : row)),
  }))
  expect(check(restored, states)).toEqual([])
})

describe('each violation is found where it is made', () => {
  test('V1: an acknowledged version that is missing', () => {
    expect(found((s) => ({ ...s, versions: s.versions.filter(({ eventId }) => eventId !== 'a1') }))).toContain('V1 zj.complaint s/A version 1 was acknowledged and is missing')
  })

  test('V1: an acknowledged version above the stub of its ended record', () => {
    const later: HistoryLine[] = [...HISTORY, { topic: TOPIC, key: 's/B', ver: 3, eventId: 'b3', outcome: 'ok' }]
    expect(check(later, GOOD).map(text)).toContain('V1 zj.complaint s/B version 3 was acknowledged and is missing')
  })

  test('V1: a parked event nobody made', () => {
    const parked = [{ topic: TOPIC, partition: 1, key: 's/A', offset: 1n, reason: 'undecodable' }]
    expect(found((s) => ({ ...s, parked }))).toContain('V1 1 events are parked, 0 were made to be')
  })

  test('V2: a version nobody sent', () => {
    expect(found((s) => ({ ...s, versions: [...s.versions, row('s/F', 1n, 5n)] }))).toContain('V2 zj.complaint s/F version 1 was never sent')
  })

  test('V2: a version that was refused', () => {
    expect(found((s) => ({ ...s, versions: [...s.versions, row('s/E', 1n, 5n)] }))).toContain('V2 zj.complaint s/E version 1 was refused')
  })

  test('V2: another event under an acknowledged version', () => {
    expect(found((s) => ({ ...s, versions: s.versions.map((one) => (one.eventId === 'a2' ? { ...one, eventId: 'x' } : one)) })))
      .toContain('V2 zj.complaint s/A version 2 has event x, not the acknowledged one')
  })

  test('V3: a version that took effect twice', () => {
    expect(found((s) => ({ ...s, versions: [...s.versions, { ...VERSIONS[0]!, from: 3n, to: 4n }] }))).toContain('V3 zj.complaint s/A version 1 stands 2 times')
  })

  test.each([
    ['records', { records: 3n }, 'V3 zj.complaint/0: records says 3, the rows say 2'],
    ['ended_records', { endedRecords: 1n }, 'V3 zj.complaint/0: ended_records says 1, the rows say 0'],
    ['applied', { applied: 3n }, 'V3 zj.complaint/0: applied + folded says 4, the rows say 3'],
    ['parked', { parked: 1n }, 'V3 zj.complaint/0: parked says 1, the rows say 0'],
  ])('V3: the counter %s is not its recount', (_name, counters, expected) => {
    expect(found((s) => ({ ...s, partitions: s.partitions.map((one) => (one.partition === 0 ? { ...one, ...counters } : one)) }))).toContain(expected)
  })

  test('V4: an older version after a newer one', () => {
    const swapped = VERSIONS.map((one) => (one.eventId === 'a1' ? { ...one, version: 2n } : one.eventId === 'a2' ? { ...one, version: 1n } : one))
    expect(found((s) => ({ ...s, versions: swapped }))).toContain('V4 zj.complaint s/A: version 1 at offset 2 comes after 2 at 1')
  })

  test('V4: a hole between a version and the next', () => {
    const hole = VERSIONS.map((one) => (one.eventId === 'a1' ? { ...one, to: 3n } : one))
    expect(found((s) => ({ ...s, versions: hole }))).toContain('V4 zj.complaint s/A: version 1 ends at 3, the next begins at 2')
  })

  test('V4: a superseded version with none current after it', () => {
    expect(found((s) => ({ ...s, versions: s.versions.filter(({ eventId }) => eventId !== 'a2') }))).toContain('V4 zj.complaint s/A has no current version after offset 2')
  })

  test('V4: another offset in one replica than in the others', () => {
    const [sh, js] = GOOD as [ReplicaState, ReplicaState]
    const moved = { ...js, versions: js.versions.map((one) => (one.key === 's/C' ? { ...one, from: 0n } : one)) }
    expect(check(HISTORY, [sh, moved])).toEqual([{ invariant: 'V4', region: 'js', what: 'zj.complaint s/C is 1@0 c1, in sh 1@3 c1' }])
  })

  test.each([
    ['an offset in no class', { nextOffset: 5n }, 'V6 zj.complaint/0: 5 offsets, 4 in classes'],
    ['an offset that vanished', { nextOffset: 5n, absent: 1n }, 'V6 zj.complaint/0: 1 offsets are absent'],
    ['a row beyond the position', { nextOffset: 3n, control: 0n }, 'V6 zj.complaint/0: s/C at offset 3 lies outside [0, 3)'],
  ])('V6: %s', (_name, change, expected) => {
    expect(found((s) => ({ ...s, partitions: s.partitions.map((one) => (one.partition === 0 ? { ...one, ...change } : one)) }))).toContain(expected)
  })

  test('V6: two events at one offset', () => {
    expect(found((s) => ({ ...s, versions: s.versions.map((one) => (one.key === 's/C' ? { ...one, from: 2n } : one)) }))).toContain('V6 zj.complaint/0: 1 offsets hold more than one event')
  })

  test('V7: a parked event without a reason', () => {
    const parked = [{ topic: TOPIC, partition: 0, key: 's/A', offset: 0n, reason: '' }]
    expect(found((s) => ({ ...s, parked }))).toContain('V7 zj.complaint/0: offset 0 is parked without a reason')
  })
})

test('events that the test itself made bad are as expected', () => {
  const parked = [{ topic: TOPIC, partition: 1, key: 's/X', offset: 1n, reason: 'undecodable' }]
  const state = GOOD.map((one) => ({
    ...one, parked, partitions: one.partitions.map((partition) => (partition.partition === 1 ? { ...partition, nextOffset: 4n, parked: 1n, parkedOpen: 1n } : partition)),
  }))
  expect(check(HISTORY, state, { poison: 1 })).toEqual([])
})

test('a history survives being written by several generators and read again', () => {
  const dir = mkdtempSync(join(tmpdir(), 'yrd-history-'))
  try {
    const file = join(dir, 'history.jsonl')
    appendHistory(file, HISTORY.slice(0, 3))
    appendHistory(file, HISTORY.slice(3))
    expect(readHistory(file)).toEqual(HISTORY)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

function found(change: (state: ReplicaState) => ReplicaState): string[] {
  return check(HISTORY, GOOD.map(change)).map(text)
}

function text({ invariant, what }: Violation): string {
  return `${invariant} ${what}`
}

function row(key: string, version: bigint, from: bigint): VersionRow {
  return { topic: TOPIC, partition: 0, key, version, eventId: 'x', from, to: null, ended: false }
}
