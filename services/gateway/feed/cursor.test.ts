import { expect, test } from 'vitest'
import { cursorText, parseCursor } from './cursor.ts'

const REPLICA = '5b0f4f0e-0d0c-4b1f-9a76-0c6f1f4d2a11'

test('a cursor reads back as it was written', () => {
  for (const change of [0, 1, 999_999_999_999_999]) expect(parseCursor(cursorText({ replica: REPLICA, change }))).toEqual({ replica: REPLICA, change })
})

test.each(['', REPLICA, `${REPLICA}-`, `${REPLICA}--1`, `${REPLICA}-1.5`, `${REPLICA}-1e3`, `${REPLICA}-1234567890123456`, ` ${REPLICA}-1`, `${REPLICA}-1\n`, `${REPLICA.toUpperCase()}-1`, 'x-1'])('%j is none', (text) => {
  expect(parseCursor(text)).toBeUndefined()
})
