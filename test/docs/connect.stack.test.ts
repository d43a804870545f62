import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHub, type Hub } from '../hub.ts'
import { examplesOf, guideDir, readGuide, runGuide } from './run-guide.ts'

const REGIONS = ['zj', 'sh'] as const

let hub: Hub

beforeAll(async () => {
  hub = await openHub({ regions: REGIONS })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

test('the English guide has the same examples', () => {
  expect(examplesOf(readGuide('connect.en.md'))).toEqual(examplesOf(readGuide('connect.md')))
})

test('every command of the guide does what the guide says, in its order, against real gateways', { timeout: 120_000 }, async () => {
  // The test's hub as the local run that the guide speaks of.
  const dir = guideDir()
  mkdirSync(join(dir, 'regions'))
  for (const region of REGIONS) symlinkSync(dirname(hub.callersFile(region)), join(dir, 'regions', region))
  writeFileSync(join(dir, 'local.json'), '{}')
  expect(await runGuide(readGuide('connect.md'), dir, { HUB_LOCAL_FILE: join(dir, 'local.json'), HUB: hub.url('zj'), HUB_SH: hub.url('sh') })).toEqual([])
})
