import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createClient, createCreditClient, type Client, type CreditClient } from '@hub/client'
import { defineConfig } from '@hub/runtime/config'
import { createKafka, type Kafka } from '@hub/runtime/kafka'
import { createDb, type Db } from '@hub/runtime/db'
import { createLog, type Log } from '@hub/runtime/log'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'

/** `approver2`: the second of the two people who approve. */
export type KeyRole = 'publisher' | 'reader' | 'officer' | 'approver' | 'approver2' | 'operator'

export interface Credentials { username: string, password: string }

export interface RegionSettings {
  gateway?: string
  /** Its credit lookup. */
  lookup?: string
  announcer?: string
  databaseUrl?: string
  kafka?: Credentials
  keys: Partial<Record<KeyRole, string>>
}

/** What the commands know of the hub they act on; each part may be unknown. */
export interface Settings {
  kafka?: { brokers: string[], admin?: Credentials }
  registryUrl?: string
  topicPrefix: string
  /** Folder with `<region>/keys.yaml`. */
  publicKeysDir?: string
  regions: Partial<Record<Region, RegionSettings>>
}

export const cliConfig = defineConfig({
  localFile: { env: 'HUB_LOCAL_FILE', type: 'path', default: fileURLToPath(new URL('../../.hub/local.json', import.meta.url)), doc: 'what the running local hub says of itself; read for whatever the environment does not name' },
  brokers: { env: 'HUB_KAFKA_BROKERS', type: 'list', default: [], doc: 'brokers, host:port, comma-separated' },
  username: { env: 'HUB_KAFKA_USERNAME', type: 'string', default: '', doc: 'Kafka user; `hub topics apply` needs one that may create topics and ACLs' },
  password: { env: 'HUB_KAFKA_PASSWORD', type: 'string', default: '', secret: true, doc: 'its password' },
  registryUrl: { env: 'HUB_REGISTRY_URL', type: 'string', default: '', doc: 'schema registry, Confluent API' },
  topicPrefix: { env: 'HUB_TOPIC_PREFIX', type: 'string', default: '', doc: 'put before every topic name; for tests on a shared broker' },
  publicKeysDir: { env: 'HUB_PUBLIC_KEYS_DIR', type: 'path', default: '', doc: "folder of the regions' public keys, <region>/keys.yaml; by default those of the running local hub, else infra/regions" },
  region: { env: 'HUB_REGION', type: 'string', default: '', doc: 'the region that the next five settings belong to' },
  databaseUrl: { env: 'HUB_DATABASE_URL', type: 'string', default: '', secret: true, doc: "that region's database" },
  gatewayUrl: { env: 'HUB_GATEWAY_URL', type: 'string', default: '', doc: "that region's gateway" },
  lookupUrl: { env: 'HUB_LOOKUP_URL', type: 'string', default: '', doc: "that region's credit lookup" },
  announcerUrl: { env: 'HUB_ANNOUNCER_URL', type: 'string', default: '', doc: "that region's announcer" },
  key: { env: 'HUB_KEY', type: 'string', default: '', secret: true, doc: 'key of the caller at that gateway' },
})

const DEPLOYED_KEYS = fileURLToPath(new URL('../../infra/regions', import.meta.url))

/** From the environment; what it does not name, from the file the local hub writes. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const named = cliConfig.read(env)
  const local = readLocal(named.localFile)
  const kafka = named.brokers.length > 0
    ? { brokers: named.brokers, ...(named.username ? { admin: { username: named.username, password: named.password } } : {}) }
    : local?.kafka
  const registryUrl = named.registryUrl || local?.registryUrl
  const regions = { ...local?.regions }
  if (named.region) {
    const region = toRegion(named.region)
    const before = regions[region]
    regions[region] = {
      ...before,
      ...(named.databaseUrl ? { databaseUrl: named.databaseUrl } : {}),
      ...(named.gatewayUrl ? { gateway: named.gatewayUrl } : {}),
      ...(named.announcerUrl ? { announcer: named.announcerUrl } : {}),
      ...(named.lookupUrl ? { lookup: named.lookupUrl } : {}),
      ...(named.brokers.length > 0 && named.username ? { kafka: { username: named.username, password: named.password } } : {}),
      keys: named.key ? { publisher: named.key, reader: named.key, officer: named.key, approver: named.key, approver2: named.key, operator: named.key } : before?.keys ?? {},
    }
  }
  return { ...(kafka && { kafka }), ...(registryUrl && { registryUrl }), topicPrefix: named.topicPrefix || local?.topicPrefix || '', publicKeysDir: named.publicKeysDir || local?.publicKeysDir || DEPLOYED_KEYS, regions }
}

export function toRegion(value: string): Region {
  const region = REGIONS.find((one) => one === value)
  if (region === undefined) throw new CliFailure(EXIT.validation, `没有地区 ${value}，应为 ${REGIONS.join('、')}`, `There is no region ${value}; it is one of ${REGIONS.join(', ')}`)
  return region
}

export function regionSettings(settings: Settings, region: Region): RegionSettings {
  const found = settings.regions[region]
  if (found === undefined) throw missing(`地区 ${region}`, `region ${region}`, 'HUB_REGION, HUB_GATEWAY_URL, HUB_KEY')
  return found
}

/** The regions whose `part` is known, in their fixed order. Fails when there is none. */
export function regionsWith<K extends 'gateway' | 'lookup' | 'announcer' | 'databaseUrl'>(settings: Settings, part: K): { region: Region, settings: RegionSettings & Required<Pick<RegionSettings, K>> }[] {
  const found = REGIONS.flatMap((region) => {
    const one = settings.regions[region]
    return one?.[part] === undefined ? [] : [{ region, settings: one as RegionSettings & Required<Pick<RegionSettings, K>> }]
  })
  if (found.length === 0) throw part === 'gateway' ? missing('网关', 'gateway', 'HUB_REGION, HUB_GATEWAY_URL') : part === 'announcer' ? missing('联合公示服务', 'announcer', 'HUB_REGION, HUB_ANNOUNCER_URL') : part === 'lookup' ? missing('信用查询', 'credit lookup', 'HUB_REGION, HUB_LOOKUP_URL') : missing('数据库', 'database', 'HUB_REGION, HUB_DATABASE_URL')
  return found
}

export function registryOf(settings: Settings): string {
  if (!settings.registryUrl) throw missing('模式注册中心', 'schema registry', 'HUB_REGISTRY_URL')
  return settings.registryUrl
}

/** A region's gateway as its caller of this role. */
export function clientOf(settings: Settings, region: Region, role: KeyRole): Client {
  const { gateway, keys } = regionSettings(settings, region)
  if (gateway === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的网关地址（HUB_GATEWAY_URL）。`, `The address of ${region}'s gateway is not known (HUB_GATEWAY_URL).`)
  return createClient({ url: gateway, key: keys[role], attempts: 3 })
}

/** A region's credit lookup as its caller of this role. */
export function creditClientOf(settings: Settings, region: Region, role: KeyRole): CreditClient {
  const { lookup, keys } = regionSettings(settings, region)
  if (lookup === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的信用查询地址（HUB_LOOKUP_URL）。`, `The address of ${region}'s credit lookup is not known (HUB_LOOKUP_URL).`)
  return createCreditClient({ url: lookup, key: keys[role], attempts: 3 })
}

/** A client with the operator's credentials, or with one region's own. */
export function kafkaOf(settings: Settings, region?: Region): Kafka {
  if (settings.kafka === undefined) throw missing('消息服务器', 'broker', 'HUB_KAFKA_BROKERS, HUB_KAFKA_USERNAME, HUB_KAFKA_PASSWORD')
  const user = region === undefined ? settings.kafka.admin : settings.regions[region]?.kafka ?? settings.kafka.admin
  return createKafka({ brokers: settings.kafka.brokers, clientId: 'hub-cli', ...user }, quietLog())
}

/** The Kafka principal of each region: its own user where one is named, else a user with the region's name. */
export function principalsOf(settings: Settings): Record<Region, string> {
  return Object.fromEntries(REGIONS.map((region) => [region, `User:${settings.regions[region]?.kafka?.username ?? region}`])) as Record<Region, string>
}

export function databaseOf(url: string): Db {
  return createDb({ url, name: 'hub-cli', max: 2, log: quietLog() })
}

/** Libraries below say what they meet; a command says it in its own words. */
export function quietLog(): Log {
  return createLog({ service: 'cli', level: 'silent' })
}

function missing(zh: string, en: string, names: string): CliFailure {
  return new CliFailure(EXIT.environment,
    `不知道${zh}在哪里。请先用 npm start 启动本地运行，或设置环境变量 ${names}。`,
    `No ${en} is known. Start the local hub with npm start, or set ${names}.`)
}

function readLocal(file: string): Partial<Settings> | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    return JSON.parse(text) as Partial<Settings>
  } catch (error) {
    throw new CliFailure(EXIT.environment, `${file} 不是有效的 JSON；重新运行 npm start 会重写它。`, `${file} is not valid JSON; npm start writes it anew.`, { cause: error })
  }
}
