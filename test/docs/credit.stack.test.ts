import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCreditClient } from '@hub/client'
import { publicKeysYaml } from '@hub/local/local-files'
import { generateSigningKey } from '@hub/runtime/sign'
import { sample } from '@hub/schemas/samples'
import { REGIONS } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { examplesOf, guideDir, readGuide, runGuide } from './run-guide.ts'

let hub: Hub
let keys: string

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'guide-keys-'))
  const { privateKey } = generateSigningKey()
  mkdirSync(join(keys, 'ah'))
  writeFileSync(join(keys, 'ah', 'keys.yaml'), publicKeysYaml(privateKey, new Date()))
  const signingKeyFile = join(keys, 'signing-key.pem')
  writeFileSync(signingKeyFile, privateKey)
  hub = await openHub({
    lookups: true, config: { signingKeyFile },
    sources: (region) => JSON.stringify({ sources: [{ id: 'credit', owner: '信用监督管理处', contact: '12315', streams: ['credit-blacklist'], caller: `${region}-local-publisher`, mode: 'changes', cadence: 'P1D', versionRule: 'counter' }] }),
  })
  const { eventId: _, ...event } = sample('cn.yrd.credit_blacklist.CreditRecord') as { eventId: string; subject: object }
  await hub.publishOne('js', 'credit-blacklist', { ...event, recordId: 'js-credit/1', region: 'js', subject: { ...event.subject, uscc: '91330100799655058B', regNo: null, name: '阿里（杭州）网络有限公司' } })
  await Promise.all(REGIONS.map((region) => hub.request(region, 'publisher', '/v1/sources/credit/hand-over', { body: JSON.stringify({ handOverId: 'all', baseline: true }), type: 'application/json' })))
  const lookup = createCreditClient({ url: hub.lookupUrl('ah'), key: hub.keys.reader, attempts: 1 })
  await eventually('everything is in ah', async () => (await lookup.lookUp('91310000132260250X')).verdict === 'not-listed' && (await lookup.search('阿里')).candidates.length === 1)
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
  rmSync(keys, { recursive: true, force: true })
})

test('the English guide has the same examples', () => {
  expect(examplesOf(readGuide('credit.en.md'))).toEqual(examplesOf(readGuide('credit.md')))
})

test('every command of the guide does what the guide says, in its order, against a real lookup', { timeout: 120_000 }, async () => {
  const dir = guideDir()
  writeFileSync(join(dir, 'local.json'), JSON.stringify({ publicKeysDir: keys }))
  expect(await runGuide(readGuide('credit.md'), dir, { HUB_LOCAL_FILE: join(dir, 'local.json'), LOOKUP: hub.lookupUrl('ah'), KEY: hub.keys.reader })).toEqual([])
})
