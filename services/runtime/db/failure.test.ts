import { expect, test } from 'vitest'
import { classify, DbError, leavesCommitOpen, sqlState } from './failure.ts'

const postgres = (code: string): Error => Object.assign(new Error('refused'), { code })

test.each([
  ['22001', 'data'], ['22021', 'data'], ['23505', 'data'],
  ['08006', 'transient'], ['40001', 'transient'], ['40P01', 'transient'], ['53300', 'transient'], ['57P01', 'transient'], ['57014', 'transient'], ['58030', 'transient'],
  ['25P03', 'transient'], ['25006', 'transient'], ['55P03', 'transient'],
  ['42P01', 'other'], ['42601', 'other'], ['25P02', 'other'], ['28P01', 'other'], ['P0001', 'other'], ['XX000', 'other'],
] as const)('SQLSTATE %s is %s', (code, expected) => {
  expect(classify(postgres(code))).toBe(expected)
  expect(new DbError(postgres(code))).toMatchObject({ class: expected, sqlState: code, retriable: expected === 'transient', outcomeUnknown: false })
})

test.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETDOWN'])('the system error %s is transient and no SQLSTATE', (code) => {
  expect(sqlState(postgres(code))).toBeUndefined()
  expect(classify(postgres(code))).toBe('transient')
})

test.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Client has encountered a connection error and is not queryable', 'Query read timeout'])('the driver\'s "%s" is transient', (message) => {
  expect(classify(new Error(message))).toBe('transient')
})

test('a fault of ours is neither', () => {
  expect(classify(new TypeError('x is not a function'))).toBe('other')
  expect(classify('a text')).toBe('other')
})

test('the SQLSTATE is found along the causes', () => {
  expect(sqlState(new Error('outer', { cause: new Error('middle', { cause: postgres('23505') }) }))).toBe('23505')
})

test('after a COMMIT only the word of the server is a known outcome, and not that it is going down', () => {
  for (const known of ['23505', '40001', '25P02', '53100']) expect(leavesCommitOpen(postgres(known))).toBe(false)
  for (const open of ['08006', '57P01', '57P02', '58030', 'XX000', 'ECONNRESET']) expect(leavesCommitOpen(postgres(open))).toBe(true)
  expect(new DbError(postgres('57P01'), true)).toMatchObject({ outcomeUnknown: true, class: 'transient', retriable: true })
})
