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
  const whole = { id: 'js-whole', owner: '江苏省市场监督管理局信用监督管理处', contact: '12315', streams: ['credit-blacklist'], caller: 'js-local-publisher', mode: 'full', cadence: 'P1D', versionRule: 'counter' }
  hub = await openHub({ regions: ['js'], sources: () => JSON.stringify({ sources: [whole] }) })
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
    const again = await runHub(settings, ['import', file, '--source', 'js-list', '--shape', 'credit-namelist'])
    expect(again.json).toMatchObject({ state: 'done', repeats: null, events: (confirmed.json as ImportReport).events })
  })

  test('with --yes publishes, tells rows with what is wrong, and the same again is a duplicate', async () => {
    const first = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--region', 'js', '--yes'], { json: false })
    expect(first.out).toMatch(/refused/)
    expect(first.exit).toBe(2)
    const again = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--shape', 'complaint-table'])
    expect(again.json).toMatchObject({ events: 0 } satisfies Partial<ImportReport>)
    expect((again.json as ImportReport).repeats).not.toBeNull()
  })

  test('--yes agrees to what a file is, and not to what it ends', async () => {
    const list = (...names: string[]): string => {
      const path = join(mkdtempSync(join(tmpdir(), 'yrd-hub-import-')), 'list.csv')
      writeFileSync(path, ['名单,企业名称,统一社会信用代码,列入日期,列入事由,列入决定机关', ...names.map((name) => `经营异常名录,${name},91330100799655058B,2024-03-${name.length},通过登记的住所或者经营场所无法联系,南京市市场监督管理局`), ''].join('\n'))
      return path
    }
    await runHub(settings, ['import', list('江苏某某甲甲甲有限公司', '江苏某某乙乙乙乙有限公司'), '--source', 'js-whole', '--yes'])
    for (const how of ['--yes', '--shape=credit-namelist']) {
      const half = await runHub(settings, ['import', list('江苏某某甲甲甲有限公司'), '--source', 'js-whole', how], { json: false })
      expect(half).toMatchObject({ exit: 2, error: expect.stringContaining('名单未再列出 1 条记录') })
      const id = /confirm ([0-9a-f-]{36})/.exec(half.error)![1]!
      expect((await runHub(settings, ['import', how === '--yes' ? 'cancel' : 'confirm', id])).json).toMatchObject(how === '--yes' ? { state: 'failed', absent: 1 } : { state: 'done', absent: 1, events: 1 })
    }
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
