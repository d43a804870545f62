import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { REGIONS } from '@hub/schemas/streams'
import type { Settings } from '../settings.ts'
import type { Check, Finding } from './check.ts'

const NODE_OLDEST = [24, 12] as const // type stripping without a flag or a warning
const DISK_LOW_BYTES = 2 * 1024 ** 3

/** What `hub` itself runs on, and what it was told of the hub. */
export function machineChecks(settings: Settings, localFile: string): Check[] {
  return [
    { name: 'node', run: () => Promise.resolve([nodeFinding(process.versions.node)]) },
    { name: 'settings', run: () => Promise.resolve([settingsFinding(settings, localFile, existsSync(localFile))]) },
    { name: 'disk', run: async () => [diskFinding(await freeBytes(existsSync(localFile) ? dirname(localFile) : '.'))] },
  ]
}

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const ok = major > NODE_OLDEST[0] || (major === NODE_OLDEST[0] && minor >= NODE_OLDEST[1])
  const oldest = NODE_OLDEST.join('.')
  return ok
    ? { name: 'node', state: 'ok', zh: `Node ${version}`, en: `Node ${version}` }
    : { name: 'node', state: 'missing', zh: `Node ${version} 过旧，需要 ${oldest} 或更高版本；用 npm run hub 运行会自动取得`, en: `Node ${version} is older than ${oldest}; "npm run hub" brings its own` }
}

export function settingsFinding(settings: Settings, localFile: string, exists: boolean): Finding {
  const unknown = [
    ...(settings.kafka ? [] : ['HUB_KAFKA_BROKERS']),
    ...(settings.registryUrl ? [] : ['HUB_REGISTRY_URL']),
    ...(REGIONS.some((region) => settings.regions[region]?.databaseUrl) ? [] : ['HUB_REGION, HUB_DATABASE_URL']),
    ...(REGIONS.some((region) => settings.regions[region]?.gateway) ? [] : ['HUB_REGION, HUB_GATEWAY_URL']),
  ]
  if (unknown.length === 0) return { name: 'settings', state: 'ok', zh: exists ? `来自 ${localFile}` : '来自环境变量', en: exists ? 'from that file and the environment' : 'from the environment' }
  return {
    name: 'settings', state: 'missing',
    zh: `${exists ? '' : `没有 ${localFile}；`}不知道 ${unknown.join('；')}。请先运行 npm start，或设置这些环境变量`,
    en: `not known: ${unknown.join('; ')}. Run npm start first, or set them`,
  }
}

export function diskFinding(free: number): Finding {
  const gib = (free / 1024 ** 3).toFixed(1)
  return free >= DISK_LOW_BYTES
    ? { name: 'disk', state: 'ok', zh: `剩余 ${gib} GiB`, en: `${gib} GiB free` }
    : { name: 'disk', state: 'wrong', zh: `仅剩 ${gib} GiB，请清理磁盘；写满后数据库和消息服务器会停止`, en: `only ${gib} GiB free: make room, database and broker stop when it is full` }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}
