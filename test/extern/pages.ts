import { signIn, type PageCheck } from './browser.ts'

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
  { path: '/codes', look: async (page, target) => void await page.goto(`${target.zj.gateway}/codes`) },
  ...['/status', '/convergence'].map((path): PageCheck => ({ path, look: (page, target) => signIn(page, target, path) })),
]
