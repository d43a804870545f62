import { expect, test } from 'vitest'
import { FAULTS, NEMESES } from './nemesis.ts'

test.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s names a nemesis and what it needs', (_name, fault) => {
  expect(Object.keys(NEMESES)).toContain(fault.what)
  expect(fault.rounds).toBeGreaterThan(0)
  if (fault.what === 'process') expect(fault).toMatchObject({ process: expect.stringMatching(/^(broker|registry|postgres)$/), signal: expect.stringMatching(/^(stop|SIGKILL|SIGSTOP)$/), lengthMs: expect.any(Number) })
  if (fault.what === 'link') expect(fault).toMatchObject({ link: expect.stringMatching(/^(broker|database)$/), conditions: expect.any(Object), lengthMs: expect.any(Number) })
})

test('names are unique: results are kept under them', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
})
