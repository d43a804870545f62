import { contractFor } from '@hub/schemas/contracts'
import { describe, expect, it } from 'vitest'
import { keptNames, keptOf, splitKept } from './check-row.ts'
import { bodyDifferences, bytesDifference, columnDifferences } from './difference.ts'
import type { RecordItem } from '@hub/schemas/log-item'

const COMPLAINT = contractFor('complaint', 'original')

describe('what differs is named field by field', () => {
  it('in columns, with both values where they are codes, numbers or days', () => {
    expect(columnDifferences(COMPLAINT, ['state', 'disputed_fen', 'registered_on', 'version'], ['refused', '1', '2026-03-14', '9'], ['accepted', '700', '2026-03-15', '2'])).toEqual([
      { field: 'state', here: 'refused', log: 'accepted' },
      { field: 'disputed_fen', here: '1', log: '700' },
      { field: 'registered_on', here: '2026-03-14', log: '2026-03-15' },
      { field: 'version', here: '9', log: '2' },
    ])
  })

  it('in nested fields of the body', () => {
    const record = { state: 'accepted', authority: { code: '330100', name: 'a', rawName: 'a' } }
    expect(bodyDifferences(COMPLAINT, { ...record, authority: { ...record.authority, code: '330200' } }, record)).toMatchObject([{ field: 'body.authority.code' }])
  })

  it('a value that was not there is null, on either side', () => {
    expect(columnDifferences(COMPLAINT, ['state'], [null], ['accepted'])).toEqual([{ field: 'state', here: null, log: 'accepted' }])
  })
})

describe('what may tell of a person is told apart and not told', () => {
  it('names and credit codes in columns are hashes', () => {
    const found = columnDifferences(COMPLAINT, ['trader_name', 'uscc'], ['张三丰', '91310000MA1FL0000X'], ['李四光', null])
    expect(found).toEqual([
      { field: 'trader_name', here: expect.stringMatching(/^sha256:[0-9a-f]{12}$/), log: expect.stringMatching(/^sha256:/) },
      { field: 'uscc', here: expect.stringMatching(/^sha256:/), log: null },
    ])
    expect(found[0]!.here).not.toBe(found[0]!.log)
  })

  it('and so are bytes that are no record', () => {
    expect(bytesDifference(Buffer.from('张三丰'), Buffer.from('x'))[0]).toMatchObject({ field: 'body', here: expect.stringMatching(/^sha256:/) })
    expect(bytesDifference(Buffer.from('x'), Buffer.from('x'))).toEqual([])
  })
})

it('a row as text has one part per name, and no value is not an empty one', () => {
  const columns = keptNames('tally').slice(5).map((_, i) => (i === 0 ? null : i === 1 ? '' : true))
  const item = { what: 'record', key: 'a/1', version: 3n, kind: 'original', ended: false, eventId: 'e', hash: Buffer.alloc(16, 1), columns } as unknown as RecordItem
  const parts = splitKept(keptOf(item))
  expect(parts).toHaveLength(keptNames('tally').length)
  expect(parts.slice(0, 8)).toEqual(['3', 'original', 'false', 'e', '01'.repeat(16), null, '', 'true'])
})
