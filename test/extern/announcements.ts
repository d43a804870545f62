import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { childEnv } from '@hub/local/child-env'
import { cacheDir, PROJECT_DATA_DIR, REPO_ROOT } from '@hub/local/paths'
import type { Settings } from '@hub/cli/settings'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Page } from 'playwright-core'
import { eventually } from '../eventually.ts'
import { freePorts } from '../free-ports.ts'
import { lookAtAll, signIn, type PageCheck } from './browser.ts'
import type { Check, Outcome } from './check.ts'

const DRAFTED = '/v1/desk/announcements/may-day/2026'
const PUBLISHED = '/announcements/spring-festival/2026'

/** The officers' desk and what the public sees, of a hub that `npm start` brought up: two announcements are published, a third is drafted and signed. */
export const announcements: Check = {
  name: 'announcements',
  proves: '公示办理台与公开页面在真实浏览器中可用 · the officers\' desk and the published pages work in a real browser',
  async run(target) {
    const dataDir = join(PROJECT_DATA_DIR, `extern-announcements-${process.pid}`)
    const child = spawn(process.execPath, [join(REPO_ROOT, 'infra/local/start.ts'), '--first-port', String(await freePorts()), '--data', dataDir], { stdio: ['ignore', 'ignore', 'pipe'], env: childEnv({ HUB_CACHE_DIR: cacheDir() }) })
    const said = text(child.stderr!)
    const exited = once(child, 'exit')
    try {
      return await Promise.race([look(), exited.then(async ([status]) => { throw new Error(`npm start ended with ${status}:\n${(await said).slice(-2000)}`) })])
    } finally {
      child.kill('SIGTERM')
      await exited
      await rm(dataDir, { recursive: true, force: true })
    }

    async function look(): Promise<Outcome> {
      const { regions } = await eventually('the hub is up', async () => JSON.parse(await readFile(join(dataDir, 'local.json'), 'utf8').catch(() => 'null')) as Settings | null ?? undefined, 120_000)
      const of = (region: Region) => regions[region]!
      const sh = of('sh').announcer!
      await eventually('the announcement is published', async () => (await fetch(`${sh}/v1${PUBLISHED}`).catch(() => undefined))?.status === 200 || undefined, 240_000)
      for (const region of REGIONS) await ask(of(region).announcer!, of(region).keys.officer!, 'POST', `${DRAFTED}/run`, { demo: true })
      await eventually('a draft is signed by all', async () => {
        const { draft } = await ask(sh, of('sh').keys.officer!, 'GET', DRAFTED) as { draft: { regions: Record<Region, { recomputed: string | null }> } | null }
        return (draft !== null && REGIONS.every((region) => draft.regions[region].recomputed !== null)) || undefined
      }, 60_000)
      return await lookAtAll(pagesOf(sh, of('sh').keys.approver!), target, [sh])
    }
  },
}

function pagesOf(announcer: string, key: string): PageCheck[] {
  const says = async (page: Page, ...texts: string[]): Promise<void> => {
    const shown = await page.locator('body').innerText()
    for (const one of texts) if (!shown.includes(one)) throw new Error(`${one} is not shown`)
  }
  return [
    { path: '/desk', look: async (page) => { await signIn(page, announcer, key, '/desk'); await says(page, '劳动节', '待审核', '已发布') } },
    { path: '/desk: draft', look: async (page) => { await signIn(page, announcer, key, '/desk/may-day/2026'); await says(page, '缺什么、找谁', '四地数字', '审核通过') } },
    { path: '/desk: published', look: async (page) => { await signIn(page, announcer, key, '/desk/spring-festival/2026'); await says(page, '已发布', '更正') } },
    { path: '/announcements', withoutScripts: true, look: async (page) => { await page.goto(`${announcer}/announcements`); await says(page, '春节', '演示数据') } },
    { path: '/announcements: document', withoutScripts: true, look: async (page) => { await page.goto(`${announcer}/v1${PUBLISHED}?format=html`); await says(page, '演示数据', '调解成功率') } },
    { path: '/announcements: verify', withoutScripts: true, look: async (page) => {
      await page.goto(`${announcer}/v1${PUBLISHED}?format=html`)
      const href = /href="([^"]+verify[^"]+)"/.exec(await page.content())![1]!.replaceAll('&amp;', '&')
      await page.goto(href)
      await says(page, '签名有效：4个地区', '这是最新一版')
    } },
  ]
}

async function ask(announcer: string, key: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(announcer + path, { method, headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }) })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
