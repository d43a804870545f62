import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { MUTANTS } from './mutants.ts'

const root = new URL('../../', import.meta.url)

test.each(MUTANTS.map((mutant) => [mutant.guard, mutant] as const))('the guard is where its mutant takes it out: %s', (_guard, { file, from, to, test: { file: testFile, name } }) => {
  const text = readFileSync(new URL(file, root), 'utf8')
  expect(text.split(from)).toHaveLength(2)
  expect(to).not.toBe(from)
  expect(existsSync(new URL(testFile, root))).toBe(true)
  if (name !== undefined) expect(readFileSync(new URL(testFile, root), 'utf8')).toContain(name)
})

test('every guard is named once', () => {
  expect(new Set(MUTANTS.map(({ guard }) => guard)).size).toBe(MUTANTS.length)
})
