import { gatewayConfig } from '@hub/gateway/config'
import { start as startGateway } from '@hub/gateway'
import { relayConfig } from '@hub/relay/config'
import { start as startRelay } from '@hub/relay'
import { replicatorConfig } from '@hub/replicator/config'
import { start as startReplicator } from '@hub/replicator'
import { defineConfig } from '@hub/runtime/config'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'

/** What the services of a region need, one beside the other: a name means the same to each of them. */
export const regionConfig = defineConfig({ ...replicatorConfig.table, ...relayConfig.table, ...gatewayConfig.table })
export type RegionConfig = ReturnType<typeof regionConfig.read>

/** All services of a region in this process: they share the bell of the outbox and the metrics, and the gateway's /readyz speaks for all. */
export async function start(config: RegionConfig, context: Omit<Context, 'wakeup'>): Promise<Service> {
  const wakeup = createWakeup()
  const of = (component: string): Context => ({ ...context, wakeup, log: context.log.child({ component }) })
  const scope = new Scope(context.log)
  try {
    const replicator = scope.use('replicator', await startReplicator({ ...config, port: null }, of('replicator')))
    const relay = scope.use('relay', await startRelay({ ...config, port: null }, of('relay')))
    const others = async () => (await Promise.all([relay.health(), replicator.health()])).flat()
    const gateway = scope.use('gateway', await startGateway(config, { ...of('gateway'), health: others }))
    return { health: () => gateway.health(), [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = regionConfig.read()
  const log = createLog({ service: 'region', region: config.region, level: config.logLevel })
  await runService(log, ({ fail }) => start(config, { log, metrics: createMetrics({ region: config.region }), fail }))
}
