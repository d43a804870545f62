import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Check, Outcome, Target } from './check.ts'
import { run } from './program.ts'

/** Where "apt-get download" and "dpkg -x" leave it (see `MISSING`). */
const UNPACKED = join(PROJECT_DATA_DIR, 'extern', 'chromium')
/** What the pages looked like, for people. */
const SHOTS = join(PROJECT_DATA_DIR, 'extern', 'pages')
const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
const MISSING = `没有 Chromium。用 HUB_CHROMIUM 指定其路径；或在 Debian 上不安装、只解压到 .hub：
There is no Chromium. HUB_CHROMIUM names one; on Debian it can be unpacked into .hub without being installed:
  mkdir -p .hub/extern/deb/partial .hub/extern/chromium
  apt-get install --yes --download-only --no-install-recommends -o Dir::Cache::archives="$PWD/.hub/extern/deb" chromium fonts-wqy-microhei
  for package in .hub/extern/deb/*.deb; do dpkg -x "$package" .hub/extern/chromium; done`

/** Somebody looks at a page as a person would; names what is wrong with it. */
export interface PageCheck {
  readonly path: string
  /** Looked at in a browser that runs none. */
  readonly withoutScripts?: true
  /** Throws when something is not as it should be. */
  look(page: Page, target: Target): Promise<void>
}

/** The pages in a real browser: later pages add themselves to `PAGES`. */
export function pages(checks: readonly PageCheck[]): Check {
  return {
    name: 'pages',
    proves: '页面在真实浏览器中可用：登录、键盘、手机宽度、无脚本错误、不加载外部资源 · the pages work in a real browser: sign in, keyboard, phone width, no script error, nothing loaded from elsewhere',
    run: (target) => lookAtAll(checks, target, [target.zj.gateway, target.lookup]),
  }
}

/** @param own addresses that pages may load from */
export async function lookAtAll(checks: readonly PageCheck[], target: Target, own: readonly string[]): Promise<Outcome> {
  const program = findChromium()
  if (program === undefined) return { passed: false, seen: MISSING, versions: [] }
  const env = librariesOf(program)
  const version = (await run(program, ['--version'], { env })).out.trim()
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'], env: { ...process.env, ...env } as Record<string, string> })
  mkdirSync(SHOTS, { recursive: true })
  const wrong: string[] = []
  for (const width of [1280, 360]) for (const check of checks) wrong.push(...(await lookAt(browser, check, width, target, own)).map((text) => `${check.path} (${width} px): ${text}`))
  await browser.close()
  return { passed: wrong.length === 0, seen: wrong.length === 0 ? checks.map(({ path }) => path).join(', ') : wrong.join('\n'), versions: [version, 'playwright-core 1.65.1'] }
}

async function lookAt(browser: Browser, check: PageCheck, width: number, target: Target, own: readonly string[]): Promise<string[]> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, locale: 'zh-CN', javaScriptEnabled: check.withoutScripts !== true })
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('pageerror', (error) => wrong.push(`script: ${error.message}`))
  page.on('console', (message) => { if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) wrong.push(`console: ${message.text()}`) })
  page.on('request', (request) => { if (!own.some((address) => request.url().startsWith(address)) && !request.url().startsWith('data:')) wrong.push(`loads ${request.url()}`) })
  try {
    await check.look(page, target)
    await page.screenshot({ path: join(SHOTS, `${check.path.slice(1).replaceAll(/\W+/g, '-')}-${width}.png`), fullPage: true })
    const { language, title, headings, wide, unlabelled } = await page.evaluate(LOOK) as { language: string; title: string; headings: number; wide: number; unlabelled: number }
    if (language !== 'zh-CN') wrong.push(`lang is ${language}`)
    if (title === '') wrong.push('no title')
    if (headings !== 1) wrong.push(`${headings} main headings`)
    if (wide > 0) wrong.push(`${wide} px wider than the window`)
    if (unlabelled > 0) wrong.push(`${unlabelled} fields without a label`)
  } catch (error) {
    wrong.push(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
  await context.close()
  return wrong
}

/** Runs in the browser. */
const LOOK = `({
  language: document.documentElement.lang,
  title: document.title,
  headings: document.querySelectorAll('h1').length,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  unlabelled: [...document.querySelectorAll('input:not([type=hidden]),select,textarea')].filter((field) => field.labels.length === 0 && !field.ariaLabel).length,
})`

/** Asks for a page without a session, gives the key at /login, by keyboard alone, and waits for where that leads. */
export async function signIn(page: Page, address: string, key: string, next: string): Promise<void> {
  await page.goto(address + next)
  await page.getByLabel('Key of the caller').focus()
  await page.keyboard.type(key)
  await page.keyboard.press('Enter')
  await page.waitForURL(address + next)
}

function findChromium(): string | undefined {
  const named = process.env['HUB_CHROMIUM']
  return [...(named === undefined ? [] : [named]), join(UNPACKED, 'usr/lib/chromium/chromium'), ...INSTALLED].find((path) => existsSync(path))
}

/** An unpacked Chromium finds the libraries that were unpacked beside it. */
function librariesOf(program: string): NodeJS.ProcessEnv {
  if (!program.startsWith(UNPACKED)) return {}
  const fonts = join(UNPACKED, '..', 'fonts.conf')
  writeFileSync(fonts, `<fontconfig><dir>${join(UNPACKED, 'usr/share/fonts')}</dir><dir>/usr/share/fonts</dir><cachedir>${join(UNPACKED, '..', 'fonts')}</cachedir></fontconfig>`)
  const lib = join(UNPACKED, 'usr/lib')
  const folders = [lib, ...readdirSync(lib, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))]
  return { LD_LIBRARY_PATH: folders.join(':'), FONTCONFIG_FILE: fonts }
}
