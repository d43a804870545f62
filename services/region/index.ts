import { announcerConfig } from '@hub/announcer/config'
import { start as startAnnouncer } from '@hub/announcer'
import { lookupConfig } from '@hub/credit-lookup/config'
import { start as startLookup } from '@hub/credit-lookup'
import { gatewayConfig } from '@hub/gateway/config'
import { start as startGateway } from '@hub/gateway'
import { relayConfig } from '@hub/relay/config'
import { start as startRelay } from '@hub/relay'
import { replicatorConfig } from '@hub/replicator/config'
import { start as startReplicator } from '@hub/replicator'
import { ConfigError, defineConfig } from '@hub/runtime/config'
import type { Dependency } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'

/** What the services of a region need, one beside the other: a name means the same to each of them. */
export const regionConfig = defineConfig({
  ...announcerConfig.table, ...lookupConfig.table, ...replicatorConfig.table, ...relayConfig.table, ...gatewayConfig.table,
  lookupPort: { ...lookupConfig.table.lookupPort, default: null, doc: 'port of the credit lookup; 0 takes a free one, none leaves it out' },
  announcerPort: { ...announcerConfig.table.announcerPort, default: null, doc: 'port of the announcer; 0 takes a free one, none leaves it out' },
  signingKeyFile: { ...lookupConfig.table.signingKeyFile, doc: `${lookupConfig.table.signingKeyFile.doc}, and the announcer does not start` },
  publicKeysDir: { ...announcerConfig.table.publicKeysDir, default: '', doc: 'folder with <region>/keys.yaml of all four; the announcer needs it' },
})
export type RegionConfig = ReturnType<typeof regionConfig.read>

/** Longest a service may take to close; each bounds its own steps. */
const CLOSING_MS = 6000

const NOT_YET: Dependency = { name: 'credit-lists', ok: false, detail: '正在启动 · starting' }

/**
 * All services of a region in this process: they share the bell of the outbox and the metrics, and the gateway's HTTP speaks for all. The credit lookup and
 * the announcer have ports of their own as well, and are left out where none is given.
 */
export async function start(config: RegionConfig, given: Omit<Context, 'wakeup'>): Promise<Service & { readonly url: string; readonly lookupUrl: string | undefined; readonly announcerUrl: string | undefined }> {
  const context: Context = { ...given, wakeup: createWakeup() }
  const scope = new Scope(given.log)
  try {
    const replicator = scope.use('replicator', await startReplicator({ ...config, port: null }, context), CLOSING_MS)
    const relay = scope.use('relay', await startRelay({ ...config, port: null }, context), CLOSING_MS)
    const { lookupPort } = config
    let lookup: Service & { readonly url: string } | undefined
    const lookupHealth = async (): Promise<readonly Dependency[]> => (lookupPort === null ? [] : await lookup?.health() ?? [NOT_YET])
    const health = async (): Promise<Dependency[]> => (await Promise.all([relay.health(), replicator.health(), lookupHealth()])).flat()
    const gateway = scope.use('gateway', await startGateway(config, { ...context, health }), CLOSING_MS)
    // After the gateway, whose figures of connections and readiness are those of the process.
    if (lookupPort !== null) lookup = scope.use('credit lookup', await startLookup({ ...config, lookupPort }, context), CLOSING_MS)
    const { announcerPort } = config
    const announcer = announcerPort === null ? undefined : scope.use('announcer', await startAnnouncer({ ...config, announcerPort, signingKeyFile: signingKeyOf(config) }, context), CLOSING_MS)
    return { url: gateway.url, lookupUrl: lookup?.url, announcerUrl: announcer?.url, health: gateway.health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

/** @throws ConfigError where the announcer is to run and there is no key to sign with */
function signingKeyOf({ signingKeyFile }: RegionConfig): string {
  if (signingKeyFile === null) throw new ConfigError(['HUB_SIGNING_KEY_FILE is missing: the announcer (HUB_ANNOUNCER_PORT) signs with it'])
  return signingKeyFile
}

if (import.meta.main) {
  const config = regionConfig.read()
  const log = createLog({ service: 'region', region: config.region, level: config.logLevel })
  await runService(log, ({ fail }) => start(config, { log, metrics: createMetrics({ service: 'region', region: config.region }), fail }))
}
