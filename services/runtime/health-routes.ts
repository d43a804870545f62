import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import type { Dependency } from './dependency.ts'
import type { Metrics } from './metrics.ts'
import { sharedReading } from './shared-reading.ts'

export const HEALTH_TAG = { health: '运行状况与本文档 · health, metrics and this document; no key is needed' }

const json = (schema: object, example: unknown): object => ({ content: { 'application/json': { schema, example } } })
const READINESS = {
  type: 'object',
  required: ['status', 'dependencies'],
  properties: {
    status: { type: 'string', enum: ['ready', 'not ready'] },
    dependencies: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'ok'],
        properties: {
          name: { type: 'string' },
          ok: { type: 'boolean' },
          detail: { type: 'string', description: '问题与处理办法 · what is wrong and what to do' },
          required: { type: 'boolean', description: 'false：缺少它仍可服务 · false: served without it' },
        },
      },
    },
  },
}

/** What an operator's tools ask of any service: is it alive, can it serve, how much, and what does it speak. */
export function healthRoutes(app: FastifyInstance, { readiness, metrics }: { readiness: () => Promise<readonly Dependency[]>; metrics: Metrics }): void {
  measureReadiness(readiness, metrics)
  const route = (operationId: string, summary: string, response: Record<string, object>): RouteShorthandOptions =>
    ({ config: { access: 'open', documented: { response } }, schema: { operationId, summary, tags: Object.keys(HEALTH_TAG) } })
  app.get('/livez', route('isAlive', '进程是否存活 · is the process alive', {
    200: { description: '存活 · alive', ...json({ type: 'object', required: ['status'], properties: { status: { const: 'ok' } } }, { status: 'ok' }) },
  }), () => ({ status: 'ok' }))
  app.get('/readyz', route('isReady', '能否服务，缺少哪一项依赖 · can it serve, and which dependency is missing', {
    200: { description: '可以服务 · can serve', ...json(READINESS, { status: 'ready', dependencies: [{ name: 'gateway database', ok: true }] }) },
    503: { description: '不能服务 · cannot serve', ...json(READINESS, { status: 'not ready', dependencies: [{ name: 'gateway database', ok: false, detail: '数据库无应答 · the database does not answer' }] }) },
  }), async (_request, reply) => {
    const dependencies = await readiness()
    const ready = isReady(dependencies)
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', dependencies })
  })
  app.get('/metrics', route('readMetrics', 'Prometheus 指标 · metrics', {
    200: { description: '指标 · metrics', content: { 'text/plain': { schema: { type: 'string' } } } },
  }), async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()))
  app.get('/openapi.json', route('readOpenApi', '本文档 · this document', {
    200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } },
  }), () => app.swagger())
}

function isReady(dependencies: readonly Dependency[]): boolean {
  return dependencies.every(({ ok, required }) => ok || required === false)
}

/** The same as /readyz says, for whoever reads the metrics alone. */
function measureReadiness(readiness: () => Promise<readonly Dependency[]>, metrics: Metrics): void {
  const read = sharedReading(readiness)
  metrics.gauge('hub_ready', '1 while this process can serve, as /readyz says', [], async (gauge) => gauge.set(Number(isReady(await read()))))
  metrics.gauge('hub_dependency_ok', '1 while a dependency is well, as /readyz names it', ['dependency'], async (gauge) => {
    const dependencies = await read()
    gauge.reset()
    for (const { name, ok } of dependencies) gauge.set({ dependency: name }, Number(ok))
  })
}
