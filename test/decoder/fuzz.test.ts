import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { FuzzResult } from './fuzz.ts'

const INPUTS = 50_000
/** A process that allocated for a count of the input would need gigabytes. */
const HEAP_MIB = 48

test(`${INPUTS} damaged events: each is parked for a reason or reads the same, and none takes the process or its memory`, { timeout: 120_000 }, async () => {
  const child = [`--max-old-space-size=${HEAP_MIB}`, fileURLToPath(new URL('index.ts', import.meta.url)), String(INPUTS), '20261125']
  const { stdout } = await promisify(execFile)(process.execPath, child, { encoding: 'utf8' })
  const result = JSON.parse(stdout) as FuzzResult
  const reasons = Object.values(result.parked).reduce((sum, n) => sum + n, 0)
  expect(result.accepted + reasons).toBe(INPUTS)
  // Void unless damage of every kind got through to where it matters.
  expect(Object.keys(result.parked)).toEqual(expect.arrayContaining(['bounds', 'undecodable', 'not-avro-framed', 'unknown-schema', 'unknown-contract', 'foreign-contract', 'wrong-key', 'wrong-region', 'bad-version', 'unknown-kind']))
  expect(result.accepted).toBeGreaterThan(INPUTS / 50)
  expect(result.arrayBuffersMiB).toBeLessThan(64)
})
