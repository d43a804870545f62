import { EXIT, type Exit } from '../failure.ts'
import { both, table } from '../output.ts'

/**
 * One line of `hub doctor`. `wrong`: it answers, and something in it needs a hand; `missing`: it does not answer or is not there; `skipped`: it could
 * not be looked at, for a reason that another line tells. The words say what is so and, where something is wrong, what to do.
 */
export interface Finding {
  /** What was looked at, as in `broker` or `database zj`. */
  name: string
  state: 'ok' | 'wrong' | 'missing' | 'skipped'
  zh: string
  en: string
}

/** Looks at one part; findings may be several. What it throws counts as `missing`. */
export interface Check {
  name: string
  run(): Promise<Finding[]>
}

const DEADLINE_MS = 8000

/** Runs all checks at once, each within its own deadline, so that one dead part neither delays nor hides the others. In the order given. */
export async function runChecks(checks: readonly Check[], deadlineMs = DEADLINE_MS): Promise<Finding[]> {
  return (await Promise.all(checks.map((check) => runCheck(check, deadlineMs)))).flat()
}

async function runCheck({ name, run }: Check, deadlineMs: number): Promise<Finding[]> {
  const { promise: late, resolve } = Promise.withResolvers<Finding[]>()
  const timer = setTimeout(() => resolve([{ name, state: 'missing', zh: `${deadlineMs / 1000} 秒内无应答`, en: `no answer within ${deadlineMs / 1000} s` }]), deadlineMs)
  try {
    return await Promise.race([run(), late])
  } catch (error) {
    const message = messageOf(error)
    return [{ name, state: 'missing', zh: `检查失败：${message}`, en: `could not be checked: ${message}` }]
  } finally {
    clearTimeout(timer)
  }
}

/** 3 when a part is missing, else 1 when something is wrong, else 0. */
export function exitOf(findings: readonly Finding[]): Exit {
  if (findings.some(({ state }) => state === 'missing')) return EXIT.environment
  return findings.some(({ state }) => state === 'wrong') ? EXIT.runtime : EXIT.ok
}

const MARK = { ok: '✓', wrong: '✗', missing: '✗', skipped: '–' } as const

const PARTS: Record<string, string> = {
  node: '运行环境', settings: '配置', disk: '磁盘', broker: '消息服务器', topics: '主题', genesis: '起始记录', copies: '日志份数', rights: '权限', registry: '注册中心', contracts: '契约',
  compatibility: '兼容级别', database: '数据库', replica: '副本', outbox: '发件箱', gateway: '网关',
}

export function describeFindings(findings: readonly Finding[]): string {
  const bad = findings.filter(({ state }) => state === 'wrong' || state === 'missing')
  return [
    table(['', '部分 part', '情况 finding'], findings.map(({ name, state, zh, en }) => [MARK[state], `${PARTS[name.split(' ')[0] ?? ''] ?? ''} ${name}`, both(zh, en)])),
    '',
    bad.length === 0 ? both('一切正常', 'all is well') : both(`${bad.length} 处有问题`, `${bad.length} found wrong: ${bad.map(({ name }) => name).join(', ')}`),
  ].join('\n')
}

/** The message that says most: of an error with several causes (all addresses of a host refused) the first. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
