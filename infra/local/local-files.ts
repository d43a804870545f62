import { createHash, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { databaseName, urlOf, type LocalPorts } from './addresses.ts'
import { REPO_ROOT } from './paths.ts'
import { REGION_USERS, type Credentials, type RegionUser } from './region-users.ts'
import { madeOnce, writeSecret } from './secret-file.ts'
import type { Stack } from './stack.ts'

/** What the local run's callers are named after; two approvers, because two people approve. */
const CALLERS = ['publisher', 'reader', 'operator', 'officer', 'approver', 'approver2'] as const
export type Keys = Record<typeof CALLERS[number], string>

export interface RegionFiles { callersFile: string, sourcesFile: string, signingKeyFile: string, stateDir: string, keys: Keys }

/** `.hub/local.json`: all that `hub` needs to know of the running local hub. */
export interface LocalFile {
  regions: Record<RegionUser, { gateway: string, lookup: string, announcer: string, keys: Keys, databaseUrl: string, kafka: Credentials }>
  kafka: { brokers: string[], admin: Credentials }
  registryUrl: string
  /** Folder with each region's `keys.yaml`. */
  publicKeysDir: string
}

const NAMES: Record<RegionUser, string> = { sh: '上海', js: '江苏', zj: '浙江', ah: '安徽' }

/**
 * Writes what the services and `hub` read of the local run. The callers' keys and each region's signing key are made once and stay with
 * the data; of a key the region's own file has the hash alone.
 */
export async function writeLocalFiles(stack: Stack, ports: LocalPorts['regions']): Promise<{ localFile: string, regions: Record<RegionUser, RegionFiles> }> {
  const { dataDir } = stack.supervisor
  const regions = Object.fromEntries(await Promise.all(REGION_USERS.map(async (region) => [region, await writeRegion(dataDir, region)]))) as Record<RegionUser, RegionFiles>
  const local: LocalFile = {
    regions: Object.fromEntries(REGION_USERS.map((region) => [region, {
      gateway: urlOf(ports[region].gateway), lookup: urlOf(ports[region].lookup), announcer: urlOf(ports[region].announcer), keys: regions[region].keys, databaseUrl: stack.databaseUrl(databaseName(region)), kafka: stack.kafka.regions[region],
    }])) as LocalFile['regions'],
    kafka: { brokers: stack.kafka.brokers.split(','), admin: stack.kafka.admin },
    registryUrl: stack.registryUrl,
    publicKeysDir: join(dataDir, 'regions'),
  }
  const localFile = join(dataDir, 'local.json')
  await writeSecret(localFile, JSON.stringify(local, null, 2))
  return { localFile, regions }
}

async function writeRegion(dataDir: string, region: RegionUser): Promise<RegionFiles> {
  const dir = join(dataDir, 'regions', region)
  const stateDir = join(dir, 'state')
  await mkdir(stateDir, { recursive: true })
  const keysFile = join(dir, 'keys.json')
  const known = JSON.parse(await madeOnce(keysFile, () => '{}')) as Partial<Keys>
  const keys = Object.fromEntries(CALLERS.map((name) => [name, known[name] ?? `${region}-${name}-${randomBytes(18).toString('hex')}`])) as Keys
  await writeSecret(keysFile, JSON.stringify(keys, null, 2))
  const signingKeyFile = join(dir, 'signing-key.pem')
  const signingKey = await madeOnce(signingKeyFile, () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  await madeOnce(join(dir, 'keys.yaml'), () => publicKeysYaml(signingKey, new Date()))
  const callersFile = join(dir, 'callers.yaml')
  // What `hub caller` changed stays; callers that an earlier release did not make are added.
  await writeSecret(callersFile, withCallers(await madeOnce(callersFile, () => callersYaml(region, keys)), callersOf(region, keys)))
  const sourcesFile = join(dir, 'sources.yaml')
  await writeSecret(sourcesFile, sourcesYaml(await readFile(join(REPO_ROOT, 'infra/regions', region, 'sources.yaml'), 'utf8'), region))
  return { callersFile, sourcesFile, signingKeyFile, stateDir, keys }
}

/** The file with those callers that it has not. */
function withCallers(yaml: string, callers: readonly { readonly id: string }[]): string {
  const document = parse(yaml) as { callers: { id: string }[] }
  const missing = callers.filter(({ id }) => !document.callers.some((caller) => caller.id === id))
  return missing.length === 0 ? yaml : stringify({ callers: [...document.callers, ...missing] })
}

/** The sources of the deployed file, published for by the local run's own caller. */
export function sourcesYaml(deployed: string, region: RegionUser): string {
  const { sources } = parse(deployed) as { sources: object[] }
  return `# 每次启动时由 infra/regions/${region}/sources.yaml 写成 · written from there at every start\n${stringify({ sources: sources.map((source) => ({ ...source, caller: callerId(region, 'publisher') })) })}`
}

/** The public half of a signing key, as a region declares it: valid from the day it was made. */
export function publicKeysYaml(signingKeyPem: string, now: Date): string {
  const publicKey = createPublicKey(signingKeyPem)
  const kid = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16)
  return stringify({ keys: [{ kid, from: `${now.toISOString().slice(0, 10)}T00:00:00Z`, to: null, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }] })
}

/** One caller per role, and a second approver; the publisher may write for every source and authority. */
export function callersYaml(region: RegionUser, keys: Partial<Keys>): string {
  return stringify({ callers: callersOf(region, keys) })
}

function callersOf(region: RegionUser, keys: Partial<Keys>): { id: string }[] {
  return CALLERS.filter((name) => keys[name] !== undefined).map((name) => ({
    id: callerId(region, name),
    organisation: `${NAMES[region]}（本地演示）`,
    roles: [name.replace('2', '')],
    ...(name === 'publisher' ? { sources: ['*'], authorities: ['*'] } : {}),
    keyHashes: [createHash('sha256').update(keys[name]!).digest('hex')],
  }))
}

function callerId(region: RegionUser, name: typeof CALLERS[number]): string {
  return `${region}-local-${name}`
}
