import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const REPO_ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** Where the data of `npm start` live; git-ignored. */
export const PROJECT_DATA_DIR = join(REPO_ROOT, '.hub')

/** What is downloaded once per machine: `HUB_CACHE_DIR`, else `$XDG_CACHE_HOME/yrd-hub`, else `~/.cache/yrd-hub`. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env['HUB_CACHE_DIR'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'yrd-hub')
}
