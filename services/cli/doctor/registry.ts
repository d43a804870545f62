import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { COMPATIBILITY, createRegistry } from '../registry.ts'
import type { Settings } from '../settings.ts'
import { messageOf, type Check, type Finding } from './check.ts'

/** Reachable, all contracts registered as they are here, their compatibility level. */
export function registryChecks({ registryUrl }: Settings): Check[] {
  return registryUrl ? [{ name: 'registry', run: () => checkRegistry(registryUrl) }] : []
}

async function checkRegistry(url: string): Promise<Finding[]> {
  const name = 'registry'
  const registry = createRegistry(url)
  try {
    await registry.subjects()
  } catch (error) {
    return [{ name, state: 'missing', zh: `${url} 无应答。请启动模式注册中心；运行中的服务不受影响`, en: `${url} does not answer (${messageOf((error as Error).cause ?? error)}). Start the registry; running services go on without it` }]
  }
  const states = await Promise.all(ALL_CONTRACTS.map(async (contract) => ({
    subject: contract.subject, id: await registry.find(contract), level: await registry.compatibilityOf(contract.subject),
  })))
  const absent = states.filter(({ id }) => id === undefined).map(({ subject }) => subject)
  const loose = states.filter(({ id, level }) => id !== undefined && level !== COMPATIBILITY).map(({ subject, level }) => `${subject} ${level ?? '–'}`)
  return [
    { name, state: 'ok', zh: `${url} 应答`, en: 'answers' },
    absent.length === 0
      ? { name: 'contracts', state: 'ok', zh: `${states.length} 个契约均已登记`, en: `all ${states.length} are registered` }
      : { name: 'contracts', state: 'missing', zh: `未登记：${absent.join('、')}。请运行 hub schemas register`, en: `not registered: ${absent.join(', ')}. Run "hub schemas register"` },
    loose.length === 0
      ? { name: 'compatibility', state: 'ok', zh: COMPATIBILITY, en: COMPATIBILITY }
      : { name: 'compatibility', state: 'wrong', zh: `级别不是 ${COMPATIBILITY}：${loose.join('、')}。请运行 hub schemas register`, en: `other than ${COMPATIBILITY}: ${loose.join(', ')}. Run "hub schemas register"` },
  ]
}
