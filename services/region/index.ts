import { gatewayConfig } from '@hub/gateway/config'
import { start as startGateway } from '@hub/gateway'
import { relayConfig } from '@hub/relay/config'
import { start as startRelay } from '@hub/relay'
import { replicatorConfig } from '@hub/replicator/config'
import { start as startReplicator } from '@hub/replicator'
import { defineConfig } from '@hub/runtime/config'
import type { Dependency } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'

/** What the services of a region need, one beside the other: a name means the same to each of them. */
export const regionConfig = defineConfig({ ...replicatorConfig.table, ...relayConfig.table, ...gatewayConfig.table })
export type RegionConfig = ReturnType<typeof regionConfig.read>

/** Longest a service may take to close; each bounds its own steps. */
const CLOSING_MS = 6000

/** All services of a region in this process: they share the bell of the outbox and the metrics, and the gateway's HTTP speaks for all. */
export async function start(config: RegionConfig, given: Omit<Context, 'wakeup'>): Promise<Service & { readonly url: string }> {
  const context: Context = { ...given, wakeup: createWakeup() }
  const scope = new Scope(given.log)
  try {
    const replicator = scope.use('replicator', await startReplicator({ ...config, port: null }, context), CLOSING_MS)
    const relay = scope.use('relay', await startRelay({ ...config, port: null }, context), CLOSING_MS)
    const health = async (): Promise<Dependency[]> => (await Promise.all([relay.health(), replicator.health()])).flat()
    const gateway = scope.use('gateway', await startGateway(config, { ...context, health }), CLOSING_MS)
    return { url: gateway.url, health: gateway.health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = regionConfig.read()
  const log = createLog({ service: 'region', region: config.region, level: config.logLevel })
  await runService(log, ({ fail }) => start(config, { log, metrics: createMetrics({ service: 'region', region: config.region }), fail }))
}
