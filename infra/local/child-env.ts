import { join } from 'node:path'
import { cacheDir } from './paths.ts'

/**
 * The environment of our own Node processes: this one's without its `HUB_…` settings, which may name the parts of the stack for the launcher
 * and would mean something else to a service; of those only `HUB_LOG_LEVEL` is passed on.
 */
export function childEnv(settings: Record<string, string>, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('HUB_') || name === 'HUB_LOG_LEVEL')
  return { NODE_COMPILE_CACHE: join(cacheDir(env), 'node-compile'), ...Object.fromEntries(kept), ...settings }
}
