import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { callersYaml } from '@hub/local/local-files'
import { keyHash } from '@hub/runtime/caller'
import { parseCallers } from '@hub/runtime/callers'
import { REGIONS } from '@hub/schemas/streams'

it("each region's callers.yaml is one that its gateway starts with, and admits nobody as it stands", () => {
  for (const region of REGIONS) {
    const text = readFileSync(new URL(`../../infra/regions/${region}/callers.yaml`, import.meta.url), 'utf8')
    expect(parseCallers(text, region)(keyHash('any key'))).toBeUndefined()
  }
})

it('the callers of npm start are known to the gateway by their keys', () => {
  const byHash = parseCallers(callersYaml('zj', { publisher: 'p', reader: 'r', operator: 'o' }), 'zj')
  const authenticate = (key: string) => byHash(keyHash(key))
  expect(['p', 'r', 'o'].map((key) => authenticate(key)?.roles)).toEqual([['publisher'], ['reader'], ['operator']])
  expect(authenticate('p')).toMatchObject({ sources: ['*'], authorities: ['*'] })
  expect(authenticate('x')).toBeUndefined()
})
