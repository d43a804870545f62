import { describe, expect, test } from 'vitest'
import { ALL_CONTRACTS, contractByName } from './contracts.ts'
import { sampleRecord } from './samples.ts'
import { DATA_STREAMS, isDataStream } from './streams.ts'
import { TABLES, columnValues, subjectOf } from './tables.ts'

/** Columns that every table of current rows has beside the typed ones. */
const COMMON = ['region', 'record_id', 'version', 'kind', 'ended', 'partition', 'log_offset', 'change_no', 'event_id', 'hash_hi', 'hash_lo', 'body', 'applied_at']

describe('the tables', () => {
  test.each(DATA_STREAMS)('%s: plain names, none twice, none of those every table has', (stream) => {
    const names = TABLES[stream].columns.map(({ name }) => name as string)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^[a-z][a-z_]*$/.test(name) || COMMON.includes(name))).toEqual([])
    expect(TABLES[stream].table).toBe(stream.replaceAll('-', '_'))
  })

  test.each(ALL_CONTRACTS.flatMap((contract) => (isDataStream(contract.stream) ? [[contract.fullName, contract, contract.stream] as const] : [])))('%s has a value of the right type for every column', (fullName, contract, stream) => {
    const values = columnValues(contract, sampleRecord(fullName))
    const types = { text: 'string', int8: 'number', int4: 'number', date: 'string', bool: 'boolean' }
    expect(values).toHaveLength(TABLES[stream].columns.length)
    TABLES[stream].columns.forEach(({ name, pgType }, at) => expect([types[pgType], 'object'], name).toContain(values[at] === null ? 'object' : typeof values[at]))
  })
})

describe('columns of a record', () => {
  test('a complaint is its verified trader\'s, field by field the reported one\'s where nothing was verified', () => {
    const record = sampleRecord('cn.yrd.complaint.Complaint')
    expect(columns('cn.yrd.complaint.Complaint', record)).toMatchObject({ uscc: '91330383MAY237W69P', trader_name: '温州畹墅服饰有限公司', registered_on: '2026-01-01', disputed_fen: 20249, object_kind: 'services', issue: '04' })
    expect(columns('cn.yrd.complaint.Complaint', { ...record, verified: null })).toMatchObject({ uscc: null, trader_name: '畹墅服饰', trader_division: '330383' })
    const verified = { name: '甲店', uscc: null, division: null, region: null, entityType: null }
    const respondent = { ...verified, name: '乙店', uscc: '91330110993733187N' }
    expect(columns('cn.yrd.complaint.Complaint', { ...record, verified, respondent })).toMatchObject({ uscc: '91330110993733187N', trader_name: '甲店', trader_division: null })
  })

  test('an ended complaint keeps the columns of statistics and no name', () => {
    expect(columns('cn.yrd.complaint.ComplaintEnded')).toMatchObject({ uscc: null, trader_name: null, trader_division: '330326', state: 'closed', registered_on: '2025-02-10', mediation_outcome: 'terminated', publication: null })
  })

  test('other ended records keep no column at all', () => {
    for (const name of ['credit_blacklist.CreditRecordEnded', 'inspection_failure.InspectionFailureEnded', 'recall.RecallEnded', 'tally.TallyEnded']) {
      expect(new Set(Object.values(columns(`cn.yrd.${name}`)))).toEqual(new Set([null]))
    }
  })

  test('an inspection failure tells sampled unit from producer, and whose regions are involved', () => {
    const record = sampleRecord('cn.yrd.inspection_failure.InspectionFailure')
    expect(columns('cn.yrd.inspection_failure.InspectionFailure', record)).toMatchObject({ sampled_name: '上海莳葳坊餐饮管理有限公司', producer_name: '宁波市榆杉食品有限公司', producer_division: '330206', involved: 'sh zj' })
    const outside = (record['parties'] as object[]).map((party) => ({ ...party, region: 'other' }))
    expect(columns('cn.yrd.inspection_failure.InspectionFailure', { ...record, parties: outside })).toMatchObject({ involved: null })
    expect(columns('cn.yrd.inspection_failure.InspectionFailure', { ...record, parties: [] })).toMatchObject({ involved: null, sampled_name: null, producer_name: null })
  })

  test('a penalty has its own', () => {
    expect(columns('cn.yrd.credit_blacklist.CreditRecord', sampleRecord('cn.yrd.credit_blacklist.CreditRecord', 'penalty')))
      .toMatchObject({ record_type: 'penalty', penalty_no: '天市监处罚〔2025〕101号', fine_fen: 50000, decided_on: '2025-01-15', public_until: '2028-01-14', listed_on: null, shielded_from: null })
  })

  test('the subject is the firm\'s code; a stub and a tally have none', () => {
    const subject = (name: string): string | null => subjectOf(contractByName(name)!, sampleRecord(name))
    expect(subject('cn.yrd.complaint.Complaint')).toBe('91330383MAY237W69P')
    expect(subject('cn.yrd.recall.Recall')).toBe('91320505MAY0ERAC05')
    expect(subject('cn.yrd.credit_blacklist.CreditRecordEnded')).toBe(null)
    expect(subject('cn.yrd.tally.Tally')).toBe(null)
    expect(subject('cn.yrd.control.Heartbeat')).toBe(null)
  })

  function columns(fullName: string, record = sampleRecord(fullName)): Record<string, unknown> {
    const contract = contractByName(fullName)!
    const names = isDataStream(contract.stream) ? TABLES[contract.stream].columns.map(({ name }) => name) : []
    return Object.fromEntries(columnValues(contract, record).map((value, at) => [names[at], value]))
  }
})
