import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { momentOf, type Verdict } from '@hub/credit-lookup/answer'
import type { RegionFacts } from '@hub/credit-lookup/completeness'
import type { Holdings } from '@hub/credit-lookup/holdings'
import { createLookup } from '@hub/credit-lookup/lookup'
import { Partition, type PartitionState } from '@hub/credit-lookup/partition'
import type { Life } from '@hub/credit-lookup/life'
import type { Reader } from '@hub/credit-lookup/reader'
import { load, save } from '@hub/credit-lookup/snapshot'
import type { Store } from '@hub/credit-lookup/store'
import type { Codec } from '@hub/runtime/codec'
import { contractFor } from '@hub/schemas/contracts'
import type { Item, ParkedItem, RecordItem } from '@hub/schemas/log-item'
import { parkedHash } from '@hub/schemas/park'
import { isEnding, recordHash } from '@hub/schemas/record-rule'
import { sampleRecord } from '@hub/schemas/samples'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { columnValues } from '@hub/schemas/tables'
import { between, seeded } from '../data/random.ts'

const STEPS = 6_000
const CODES = Array.from({ length: 24 }, (_, n) => `91330100MA0000${n.toString().padStart(2, '0')}${n % 2}${n % 7}`)
const RECORDS = 50
const START = Date.parse('2026-01-01T12:00:00+08:00')
const DAY = 86_400_000
/** Of one partition a region; small files, so that they are rewritten in between. */
const UNITS = 4_096

/** What a plain list knows of a record: its newest version, of one version the first. */
interface Known { readonly version: number; readonly code: string | undefined; readonly kind: string; readonly type: string; readonly publication: string; readonly until: number | null; readonly shield: { from: number; until: number | null } | null }

const dir = mkdtempSync(join(tmpdir(), 'model-'))
afterAll(() => rmSync(dir, { recursive: true }))

it.each([1, 20_261_125])('agrees with a plain list on every code, whatever comes and wherever it is stopped (seed %d)', async (seed) => {
  const random = seeded(seed)
  const chance = (percent: number): boolean => between(random, 1, 100) <= percent
  const one = <T>(of: readonly T[]): T => of[between(random, 0, of.length - 1)]!
  const folder = mkdtempSync(join(dir, 'run-'))
  const logs = new Map<Region, Item[]>(REGIONS.map((region) => [region, []]))
  /** The reference: current versions and bad events, by key. */
  const known = new Map<string, Known>()
  const bad = new Map<string, { region: Region; subject: string | undefined }>()
  let now = START
  let life: Life = begin()
  const lookup = createLookup({
    topicPrefix: '', store: undefined as unknown as Store, metrics: { answered() {} },
    codec: { decode: (wire: Buffer) => { const { fullName, record } = JSON.parse(wire.toString()) as { fullName: string; record: Record<string, unknown> }; return { ok: true, fullName, record } } } as unknown as Codec,
    reader: { get life() { return life } } as unknown as Reader,
  })
  const verdicts = { listed: 0, 'not-listed': 0, unknown: 0 }

  for (let step = 0; step < STEPS; step++) {
    const region = one(REGIONS)
    const recordId = `${region}-credit/${between(random, 1, RECORDS)}`
    const log = logs.get(region)!
    if (chance(2)) log.push(parked(log.length, recordId, one([undefined, '', ...CODES.slice(0, 3)])))
    else log.push(version(log.length, region, recordId, next(recordId)))
    const item = log.at(-1)!
    remember(region, item)
    const partition = life.partitions[REGIONS.indexOf(region)]!
    partition.take(item, life.holdings)
    if (chance(1)) now += between(random, 1, 3) * DAY
    life.holdings.compact(20)
    if (chance(1)) await save(folder, life.holdings, life.partitions.map(({ place }) => place), life.partitions.map(({ state }) => state))
    // Killed: what was written after the snapshot is read from the log again.
    if (step % 97 === 0 && chance(60)) {
      life.holdings[Symbol.dispose]()
      life = begin()
    }
    if (step % 12 === 0) for (const code of CODES) await compare(code, step)
  }
  expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(100)
  life.holdings[Symbol.dispose]()

  async function compare(code: string, step: number): Promise<void> {
    const question = lookup.question(code)
    if (!question.ok) throw new Error(code)
    const today = Math.floor((now + 8 * 3_600_000) / DAY)
    const answered = await lookup.ask(question, momentOf(facts(), 'c', now), { kind: 'public' })
    const active = [...known].filter(([, record]) => record.code === code && isActive(record, today))
    const ids = (type: string): string[] => active.filter(([, record]) => record.type === type).map(([id]) => id).sort()
    const doubtful = [...new Set([...bad.values()].filter(({ subject }) => subject === undefined || subject === code).map((parked) => parked.region))].sort()
    const verdict: Verdict = ids('listing').length > 0 ? 'listed' : doubtful.length > 0 ? 'unknown' : 'not-listed'
    const shown = (of: readonly { readonly evidence: { readonly topic: string; readonly offset: number } }[]): string[] => of.map(({ evidence: { topic, offset } }) => (logs.get(topic.split('.')[0] as Region)![offset] as RecordItem).key).sort()
    expect({ step, code, verdict: answered.verdict, listings: shown(answered.listings), penalties: shown(answered.penalties), incomplete: answered.incomplete.map((each) => each.region).sort(), withheld: answered.withheld })
      .toEqual({ step, code, verdict, listings: ids('listing'), penalties: ids('penalty'), incomplete: doubtful, withheld: [] })
    verdicts[verdict]++
  }

  /** What comes of a record next: mostly something newer, now and then something older or the same again with another body. */
  function next(recordId: string): Known {
    const before = known.get(recordId)
    const number = before === undefined ? between(random, 1, 3) : Math.max(1, before.version + one([1, 1, 1, 1, 2, 0, -1, -3]))
    const kind = one(before !== undefined && isEnding(before.kind) ? ['restored', 'restored', 'removal', 'correction'] : ['original', 'correction', 'removal', 'repair', 'void', 'expiry', 'restored', 'shield', 'withdrawal'])
    const today = Math.floor((now + 8 * 3_600_000) / DAY)
    return {
      version: number, kind, code: isEnding(kind) ? undefined : chance(5) ? undefined : before?.code !== undefined && chance(70) ? before.code : one(CODES), type: one(['listing', 'listing', 'penalty']),
      publication: one(['published', 'published', 'published', 'published', 'withdrawn', 'pending']), until: chance(30) ? today + between(random, -1, 4) : null,
      shield: kind === 'shield' ? { from: today + between(random, -1, 1), until: chance(50) ? today + between(random, 0, 3) : null } : null,
    }
  }

  function remember(region: Region, item: Item): void {
    bad.delete(item.what === 'technical' ? '' : `${region} ${item.key}`)
    if (item.what === 'parked') bad.set(`${region} ${item.key}`, { region, subject: item.subject === '' ? undefined : item.subject })
    if (item.what !== 'record') return
    const before = known.get(item.key)
    const { known: what } = item as RecordItem & { known: Known }
    if (before === undefined || what.version > before.version) known.set(item.key, what)
  }

  function begin(): Life {
    const loaded = load({ dir: folder, places: REGIONS.length, unitsPerFile: UNITS, refuse: () => undefined })
    const holdings: Holdings = loaded.holdings
    const partitions = REGIONS.map((region, number) => new Partition(number, region, loaded.places[number] ?? { topic: `${region}.credit-blacklist`, partition: 0, generation: 'g', next: 0 }, 0, (loaded.state as PartitionState[] | undefined)?.[number]))
    for (const partition of partitions) for (const item of logs.get(partition.region)!) partition.take(item, holdings)
    return { holdings, partitions, loaded: true } as unknown as Life
  }

  function facts(): RegionFacts[] {
    return life.partitions.map(({ region, unreadable, place }) => ({ region, unreadable, proof: 'equal', transportAgeMs: 0, sources: [{ sourceSystem: 'credit', cadenceSeconds: 1, baselineComplete: true, lastHandOverAt: now }], positions: [place] }))
  }
}, 60_000)

function isActive({ kind, publication, until, shield }: Known, today: number): boolean {
  if (isEnding(kind) || kind === 'withdrawal' || publication !== 'published') return false
  if (until !== null && until < today) return false
  return shield === null || shield.from > today || (shield.until !== null && shield.until < today)
}

const LISTING = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
const STUB = sampleRecord('cn.yrd.credit_blacklist.CreditRecordEnded')

function version(offset: number, region: Region, recordId: string, known: Known): RecordItem {
  const { version: number, kind, code, type, publication, until, shield } = known
  const ended = isEnding(kind)
  const contract = contractFor('credit-blacklist', kind)
  const record = ended ? { ...STUB, recordId, version: number, kind, region } : {
    ...LISTING, recordId, version: number, kind, region, recordType: type, publication, until, shield: shield && { ...shield, decisionNo: null }, subject: { ...LISTING['subject'] as object, uscc: code ?? null, regNo: null },
  }
  const body = Buffer.from(JSON.stringify({ fullName: contract.fullName, record }))
  const item: RecordItem & { known: Known } = {
    what: 'record', offset, sequence: offset, logEnd: offset + 1, size: 1, key: recordId, version: BigInt(number), hash: recordHash(recordId, BigInt(number), body), kind, ended, eventId: 'e', body, columns: columnValues(contract, record), known,
  }
  return item
}

function parked(offset: number, key: string, subject: string | undefined): ParkedItem {
  return { what: 'parked', offset, sequence: offset, logEnd: offset + 1, size: 1, key, reason: 'bounds', subject, hash: parkedHash(offset, null) }
}
