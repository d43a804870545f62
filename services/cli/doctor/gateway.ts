import type { Dependency } from '@hub/runtime/http'
import { REGIONS } from '@hub/schemas/streams'
import type { Settings } from '../settings.ts'
import { messageOf, type Check, type Finding } from './check.ts'

const TIMEOUT_MS = 5000

/** Each region's gateway and what it says of what it depends on. */
export function gatewayChecks(settings: Settings): Check[] {
  return REGIONS.flatMap((region) => {
    const url = settings.regions[region]?.gateway
    return url === undefined ? [] : [{ name: `gateway ${region}`, run: async () => [await checkGateway(`gateway ${region}`, url)] }]
  })
}

async function checkGateway(name: string, url: string): Promise<Finding> {
  let response: Response
  try {
    response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    const reason = messageOf((error as Error).cause ?? error)
    return { name, state: 'missing', zh: `${url} 无应答（${reason}）。请启动该地区的服务，日志在 .hub/logs`, en: `${url} does not answer. Start the services of the region` }
  }
  const { dependencies = [] } = await response.json().catch(() => ({})) as { dependencies?: Dependency[] }
  const failing = dependencies.filter(({ ok }) => !ok).map(({ name: part, detail }) => (detail === undefined ? part : `${part}: ${detail}`)).join('; ')
  if (!response.ok) return { name, state: 'wrong', zh: `未就绪（${response.status}）：${failing}`, en: 'not ready' }
  return failing === '' ? { name, state: 'ok', zh: `${url} 就绪`, en: 'ready' } : { name, state: 'wrong', zh: `可以发布，但 ${failing}`, en: 'publishing works, the rest as said' }
}
