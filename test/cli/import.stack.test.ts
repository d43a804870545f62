import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Settings } from '@hub/cli/settings'
import type { ImportReport } from '@hub/client'
import { SOURCES } from '../connectors/import-file.ts'
import { openHub, type Hub } from '../hub.ts'
import { runHub } from './run-hub.ts'

let hub: Hub
let settings: Settings

beforeAll(async () => {
  hub = await openHub({ regions: ['js'] })
  settings = { topicPrefix: hub.fixture.prefix, regions: { js: { gateway: hub.url('js'), keys: hub.keys } } }
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

describe('hub import', () => {
  const file = join(SOURCES, 'js/credit-namelist.xlsx')

  test('asks before it publishes what it recognised, and says how to go on', async () => {
    const asked = await runHub(settings, ['import', file, '--source', 'js-list'], { json: false })
    expect(asked.exit).toBe(2)
    expect(asked.error).toContain('credit-namelist')
    expect(asked.error).toContain('hub import confirm')
    const id = /confirm ([0-9a-f-]{36})/.exec(asked.error)![1]!
    const confirmed = await runHub(settings, ['import', 'confirm', id])
    expect(confirmed.json).toMatchObject({ id, state: 'done' })
    const reverted = await runHub(settings, ['import', 'revert', id, '--region', 'js'])
    expect([reverted.exit, reverted.json]).toMatchObject([0, { state: 'reverted' }])
  })

  test('with --yes publishes, tells rows with what is wrong, and the same again is a duplicate', async () => {
    const first = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--region', 'js', '--yes'], { json: false })
    expect(first.out).toMatch(/refused/)
    expect(first.exit).toBe(2)
    const again = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--shape', 'complaint-table'])
    expect(again.json).toMatchObject({ events: 0 } satisfies Partial<ImportReport>)
    expect((again.json as ImportReport).repeats).not.toBeNull()
  })

  test('a dry run publishes nothing', async () => {
    const { json } = await runHub(settings, ['import', join(SOURCES, 'js/inspection-food.csv'), '--source', 'js-food', '--shape', 'inspection-food', '--dry-run'])
    expect(json).toMatchObject({ state: 'done', dryRun: true, events: 0 })
  })

  test('several files at once', async () => {
    const { json } = await runHub(settings, ['import', join(SOURCES, 'js/inspection-food.csv'), join(SOURCES, 'js/inspection-notice.txt'), '--source', 'js-food', '--yes'])
    expect((json as ImportReport[]).map(({ state, shape }) => [state, shape?.id])).toEqual([['done', 'inspection-food'], ['done', 'inspection-notice']])
  })
})

test('what is no file of ours is told with what to do about it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'yrd-hub-import-'))
  writeFileSync(join(folder, 'empty.csv'), '')
  const run = (path: string) => runHub(settings, ['import', path, '--source', 'js-list', '--yes'], { json: false })
  const asFolder = await run(folder)
  expect([asFolder.exit, asFolder.error]).toEqual([2, expect.stringContaining('是文件夹')])
  const missing = await run(join(folder, 'missing.csv'))
  expect([missing.exit, missing.error]).toEqual([2, expect.stringContaining('ENOENT')])
  const empty = await run(join(folder, 'empty.csv'))
  expect([empty.exit, empty.out]).toEqual([2, expect.stringContaining('the file is empty')])
})
