import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { FAILPOINTS } from '@hub/runtime/failpoint'

const SERVICES = fileURLToPath(new URL('../services/', import.meta.url))

test('every failpoint of the table stands in the code, and every one in the code in the table', () => {
  const files = globSync('*/**/*.ts', { cwd: SERVICES, exclude: (name) => name === 'node_modules' || name.endsWith('.test.ts') })
  const passed = files.flatMap((file) => [...readFileSync(SERVICES + file, 'utf8').matchAll(/\bfailpoint\('([^']+)'/g)].map(([, name]) => name!))
    .filter((name) => name !== '…')
  expect([...new Set(passed)].sort()).toEqual([...FAILPOINTS].sort())
})
