import { documentPage } from '@hub/announcer/document/page'
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { sampleCells } from '../announcer/sample-cells.ts'
import { sampleEdition, type SampleEdition } from '../announcer/sample-edition.ts'
import { signIn, type PageCheck } from './browser.ts'
import type { Target } from './check.ts'

const COMPLAINTS = '登记编号,工单类型,登记时间,更新时间,办理状态,问题类别,投诉人姓名,被投诉方名称,统一社会信用代码,承办单位'
const COMPLAINT = '2026-03-05 08:00:00,2026-03-05 08:00:00,04,ZJ-05,曹然骉,杭州某某物业服务有限公司'
const GOOD = [COMPLAINTS, ...[1, 2, 3].map((no) => `EX${no},投诉,${COMPLAINT},,杭州市市场监督管理局`), ''].join('\n')
const DOUBTFUL = [COMPLAINTS, `EY1,投诉,${COMPLAINT},91330100799655058X,某某新区市场监督管理局`, `EY2,投诉,${COMPLAINT},11010119900307123X,杭州市市场监督管理局`, 'EY3,投诉,2026-02-30,2026-03-05,04,ZJ-05,曹然骉,"=cmd|\' /C calc\'!A0",,杭州市市场监督管理局', ''].join('\n')

/** Between the margins of the printed page, px. */
const A4_WIDTH = 680

/** Every page of the hub; a new one adds itself. */
export const PAGES: readonly PageCheck[] = [
  {
    path: '/login',
    async look(page, target) {
      await page.goto(`${target.zj.gateway}/login`)
      await page.getByLabel('Key of the caller').fill('no-such-key')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').waitFor()
    },
  },
  { path: '/credit', withoutScripts: true, look: lookUp },
  { path: '/codes', look: async (page, target) => void await page.goto(`${target.zj.gateway}/codes`) },
  { path: '/import', look: (page, target) => signIn(page, target.zj.gateway, target.everyRole, '/import') },
  {
    path: '/import: good',
    async look(page, target) {
      await upload(page, target, '投诉.csv', Buffer.from(GOOD))
      await page.getByText('登记编号').first().waitFor()
      await page.getByRole('button', { name: 'Confirm and publish' }).press('Enter')
      await page.getByRole('status').getByText('已完成').waitFor()
    },
  },
  {
    path: '/import: doubtful',
    async look(page, target) {
      await upload(page, target, '存疑.csv', Buffer.from(DOUBTFUL))
      await page.getByRole('button', { name: 'Confirm and publish' }).waitFor()
      const text = await page.locator('main').innerText()
      for (const shown of ['存疑', '拒绝']) if (!text.includes(shown)) throw new Error(`${shown} is not shown`)
      for (const hidden of ['曹然骉', '11010119900307123X', 'cmd|']) if (text.includes(hidden)) throw new Error(`${hidden} is shown`)
    },
  },
  {
    path: '/import: broken',
    async look(page, target) {
      await upload(page, target, '名单.xlsx', readFileSync(new URL('../data/sources/files/bad/truncated.xlsx', import.meta.url)))
      await page.getByRole('status').getByText('工作簿已损坏或不完整').waitFor()
    },
  },
  {
    path: '/import: marked',
    async look(page, target) {
      await choose(page, target, '存疑.csv', Buffer.from(DOUBTFUL))
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Workbook with the problems marked' }).click()])
      const path = await download.path()
      if (readFileSync(path).subarray(0, 2).toString() !== 'PK') throw new Error('what was downloaded is no workbook')
    },
  },
  edition('/announcement-full', { demo: true, tips: [{ zh: '购买预付卡，请保留合同和付款凭证。', en: 'Keep the contract of a prepaid card.' }] }, '演示数据'),
  edition('/announcement-partial', { campaign: '315-week', missing: 'zj', minimum: 3 }, '未含浙江'),
  ...['/status', '/convergence'].map((path): PageCheck => ({ path, look: (page, target) => signIn(page, target.zj.gateway, target.everyRole, path) })),
]

/** Chooses a file on the page as a person does. */
async function choose(page: Page, target: Target, name: string, buffer: Buffer): Promise<void> {
  await signIn(page, target.zj.gateway, target.everyRole, '/import')
  await page.getByLabel('Source system').fill('extern-12315')
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer })
}

async function upload(page: Page, target: Target, name: string, buffer: Buffer): Promise<void> {
  await choose(page, target, name, buffer)
  await page.getByRole('button', { name: 'Upload and recognise' }).click()
  await page.getByRole('status').waitFor()
}

/** The page of an edition of the sample, as it is; nothing else is needed for it. Printed, it is no wider than the paper. */
function edition(path: string, of: SampleEdition, titled: string): PageCheck {
  return {
    path,
    async look(page) {
      await page.setContent(await documentPage(sampleEdition(await sampleCells(), of), { verifyAt: 'https://gs.example.cn/announcements/spring-festival/2026/verify', draft: false }))
      if (!(await page.title()).includes(titled)) throw new Error(`the title does not say ${titled}`)
      await page.getByRole('img', { name: '各地区接收投诉（件）' }).waitFor()
      await page.getByRole('table', { name: '投诉、举报、咨询' }).waitFor()
      const window = page.viewportSize()!
      await page.setViewportSize({ width: A4_WIDTH, height: 800 })
      await page.emulateMedia({ media: 'print' })
      const width = await page.evaluate('document.documentElement.scrollWidth') as number
      if (width > A4_WIDTH) throw new Error(`printed it is ${width - A4_WIDTH} px wider than the paper`)
      await page.emulateMedia({ media: 'screen' })
      await page.setViewportSize(window)
    },
  }
}

/** The public page by keyboard alone, in a browser without scripts: a result with its number, a workbook, and nothing of what looks like a person's number. */
async function lookUp(page: Page, { lookup }: Target): Promise<void> {
  await page.goto(`${lookup}/credit`)
  await page.getByLabel('Unified social credit codes').focus()
  await page.keyboard.insertText('91310000132260250X\n11010519491231002X\nnonsense')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${lookup}/credit#result`)
  const cards = page.getByRole('article')
  if (await cards.count() !== 3) throw new Error(`${await cards.count()} cards of 3`)
  if ((await page.content()).includes('1949')) throw new Error('what looks like a person\'s number is repeated')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as XLSX' }).click()])
  if (!/^credit-ZJ-[\dA-F-]+\.xlsx$/.test(download.suggestedFilename())) throw new Error(`the workbook is called ${download.suggestedFilename()}`)
}
