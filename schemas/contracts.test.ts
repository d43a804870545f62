import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { allFields, shapeOf } from './avro-schema.ts'
import { ALL_CONTRACTS, contractByName, contractFor, type Contract } from './contracts.ts'
import { readEvent } from './read-event.ts'
import { toJson } from './record-json.ts'
import { KINDS, isEnding } from './record-rule.ts'
import { VARIANTS, sample, sampleRecord } from './samples.ts'
import { DATA_STREAMS, isDataStream, type DataStream, type Region } from './streams.ts'

const data = ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream))
const samples: [fullName: string, variant: string | undefined, contract: Contract][] = [
  ...ALL_CONTRACTS.map((contract): [string, undefined, Contract] => [contract.fullName, undefined, contract]),
  ...VARIANTS.map(([fullName, variant]): [string, string, Contract] => [fullName, variant, contractByName(fullName)!]),
]

describe('the contracts', () => {
  test('are the agreed ones, each under its own subject', () => {
    expect(ALL_CONTRACTS.map(({ subject }) => subject)).toEqual([
      'cn.yrd.complaint.ComplaintEnded', 'cn.yrd.complaint.Complaint',
      'cn.yrd.credit_blacklist.CreditRecordEnded', 'cn.yrd.credit_blacklist.CreditRecord',
      'cn.yrd.inspection_failure.InspectionFailureEnded', 'cn.yrd.inspection_failure.InspectionFailure',
      'cn.yrd.recall.RecallEnded', 'cn.yrd.recall.Recall', 'cn.yrd.tally.TallyEnded', 'cn.yrd.tally.Tally',
      'cn.yrd.control.Cut', 'cn.yrd.control.Genesis', 'cn.yrd.control.Heartbeat',
      'cn.yrd.checkpoint.Checkpoint', 'cn.yrd.checkpoint.Position', 'cn.yrd.parked.ParkedEvent', 'cn.yrd.source_status.SourceStatus',
      'cn.yrd.announcement.AnnouncementAct',
    ])
  })

  test.each(data.map((contract) => [contract.fullName, contract] as const))('%s begins with the envelope', (_name, { schema }) => {
    expect(schema.fields.slice(0, 9).map(({ name }) => name)).toEqual(['eventId', 'recordId', 'version', 'kind', 'region', 'authority', 'occurredOn', 'recordedAt', 'legalBasis'])
  })

  test.each(DATA_STREAMS)('%s: the kinds that end a record have the stub, all others the record', (stream) => {
    for (const kind of KINDS) expect(contractFor(stream, kind).role).toBe(isEnding(kind) ? 'stub' : 'record')
  })

  test('what stays of an ended record names no firm: its identity, and of a complaint what statistics count', () => {
    const kept = data.filter(({ role }) => role === 'stub').map(({ stream, schema }) => [stream, [...allFields(shapeOf(schema))].slice(12).map(({ path }) => path)])
    expect(Object.fromEntries(kept)).toEqual({
      complaint: [
        'state', 'registeredOn', 'acceptedOn', 'refusalGround', 'handlingDivision', 'placeDivision', 'traderDivision', 'object', 'object.kind', 'object.code', 'object.local',
        'issue', 'issue.code', 'issue.local', 'channel', 'channel.code', 'channel.local', 'disputedFen', 'recoveredFen', 'mediationOutcome', 'terminationGround', 'mediationEndedOn', 'online',
      ],
      'credit-blacklist': [], 'inspection-failure': [], recall: [], tally: [],
    })
  })
})

describe('every sample', () => {
  test.each(samples)('%s %s is written and read back as it is', (fullName, variant, contract) => {
    const type = avro.Type.forSchema(contract.schema as unknown as avro.Schema, { registry: {} })
    const record = sampleRecord(fullName, variant)
    expect(type.isValid(record, { noUndeclaredFields: true })).toBe(true)
    const decoded = type.fromBuffer(type.toBuffer(record)) as object
    expect(withoutNulls(toJson(contract, decoded))).toEqual(sample(fullName, variant))
  })

  test.each(samples.filter(([, , { stream }]) => isDataStream(stream)))('%s %s is accepted without a flag, as that contract', (fullName, variant, contract) => {
    const input = sample(fullName, variant)
    const result = readEvent(contract.stream as DataStream, input['region'] as Region, input, Date.parse('2026-11-24T00:00:00Z'))
    expect(result).toMatchObject({ ok: true, event: { contract: { fullName }, flags: [], origin: { from: 'source', version: input['version'] } } })
    if (result.ok) expect({ ...result.event.record, eventId: input['eventId'], version: input['version'] }).toEqual(sampleRecord(fullName, variant))
  })
})

/** Fields that are null or an empty list may be left out of the JSON form. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const given = Object.entries(value).filter(([, member]) => member !== null && !(Array.isArray(member) && member.length === 0))
  return Object.fromEntries(given.map(([name, member]) => [name, withoutNulls(member)]))
}
