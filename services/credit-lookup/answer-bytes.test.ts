import avro from 'avsc'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shapeOf, type Shape } from '@hub/schemas/avro-schema'
import { CODES } from '@hub/schemas/codes'
import { parseDay, parseInstant } from '@hub/schemas/read-time'
import { REGIONS } from '@hub/schemas/streams'
import type { Viewer } from '@hub/schemas/visibility'
import { answer, momentOf } from './answer.ts'
import { evidencePlace, HELD, writeAnswer, type InsideViewer } from './answer-bytes.ts'
import type { RegionFacts } from './completeness.ts'
import { ByteSink } from './wire/sink.ts'

const TODAY = parseDay('2026-11-25')!
const TYPE = avro.Type.forSchema(HELD.schema as unknown as avro.Schema, { registry: {} })
const QUESTION = { ok: true as const, code: '913307839967857675' }

/** Half of them are after any day that is asked on, so that many records are active. */
const day = fc.oneof({ weight: 2, arbitrary: fc.integer({ min: TODAY - 2, max: TODAY + 2 }) }, fc.integer({ min: TODAY + 3, max: 60_000 }))
/** What rules look at comes from its own values, or nearly always: everything else is anything. */
const CHOSEN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  eventId: fc.oneof({ weight: 5, arbitrary: fc.uuid({ version: 7 }) }, fc.uuid(), fc.string()),
  kind: fc.constantFrom('original', 'correction', 'shield', 'withdrawal', 'restored'),
  region: fc.constantFrom(...REGIONS),
  recordType: fc.constantFrom('listing', 'listing', 'penalty', 'other'),
  listType: fc.oneof(fc.constantFrom(...Object.keys(CODES['list-type']!.codes)), fc.string()),
  publication: fc.oneof({ weight: 5, arbitrary: fc.constant('published') }, fc.constantFrom('pending', 'not-publishable', 'withdrawn', 'expired')),
}
const record = valueOf({ kind: 'record', nullable: false, record: shapeOf(HELD.schema) }) as fc.Arbitrary<object>
const viewer: fc.Arbitrary<InsideViewer> = fc.oneof(fc.constant({ kind: 'operator' as const }), fc.record({ kind: fc.constant('bureau' as const), region: fc.constantFrom(...REGIONS), operator: fc.boolean() }))
const place = fc.record({ topic: fc.constantFrom(...REGIONS.map((region) => `${region}.credit-blacklist`)), partition: fc.nat(2), offset: fc.maxSafeNat() })
const facts = fc.constantFrom<Partial<RegionFacts>>({}, { transportAgeMs: 95_000 }, { sources: [] }, { unreadable: 2 })

it('what is written from the records\' bytes is the JSON of the answer, for whatever records, days and whoever asks', () => {
  const sink = new ByteSink()
  fc.assert(fc.property(fc.array(fc.tuple(record, place), { maxLength: 4 }), viewer, facts, fc.array(fc.constantFrom(...REGIONS), { maxLength: 2 }), fc.boolean(), fc.integer({ min: -3, max: 3 }), (records, who, doubt, parkedIn, checkHolds, days) => {
    const moment = momentOf(REGIONS.map((region): RegionFacts => ({
      region, transportAgeMs: 10, unreadable: 0, proof: 'equal', sources: [{ sourceSystem: 'credit', cadenceSeconds: 400 * 86_400, baselineComplete: true, lastHandOverAt: parseInstant('2026-11-20T10:00:00+08:00')! }], positions: [], ...(region === 'js' && doubt),
    })), '0123abcd.0', parseInstant('2026-11-25T10:00:00+08:00')! + days * 86_400_000)
    const bodies = records.map(([one]) => Buffer.concat([Buffer.alloc(5), TYPE.toBuffer(one)]))
    const plain = answer({ ...QUESTION, checkHolds }, records.map(([, at], n) => ({ contract: HELD, record: TYPE.fromBuffer(bodies[n]!.subarray(5)) as Record<string, unknown>, ...at })), parkedIn, moment, who satisfies Viewer)
    const verdict = writeAnswer(sink, { ...QUESTION, checkHolds }, records.map(([, at], n) => ({ body: bodies[n]!, place: evidencePlace(at.topic, at.partition), offset: at.offset })), parkedIn, moment, who)
    expect(`${sink.take().toString('utf8')}}`).toBe(JSON.stringify(plain))
    expect(verdict).toBe(plain.verdict)
  }), { numRuns: 4_000 })
})

function valueOf(shape: Shape, name = ''): fc.Arbitrary<unknown> {
  const value = CHOSEN[name] ?? ((): fc.Arbitrary<unknown> => {
    switch (shape.kind) {
      case 'string': return fc.oneof(fc.constantFrom('义乌市某某贸易有限公司', '', '"\\'), fc.string({ unit: 'grapheme', maxLength: 12 }))
      case 'date': return day
      case 'long': return fc.integer({ min: 0, max: 2 ** 53 - 2 })
      case 'instant': return fc.integer({ min: 0, max: 4e12 })
      case 'array': return fc.array(valueOf(shape.items!), { maxLength: 3 })
      case 'record': return fc.record(Object.fromEntries(shape.record!.fields.map(({ field, shape: type }) => [field.name, valueOf(type, field.name)])))
      default: throw new Error(`${name} is a ${shape.kind}`)
    }
  })()
  return shape.nullable ? fc.option(value, { freq: 2 }) : value
}
