import { GatewayError } from '@hub/client'

/** What `hub` ends with: 1 something went wrong while running, 2 what was given is not valid, 3 a part it depends on is missing or wrong. */
export const EXIT = { ok: 0, runtime: 1, validation: 2, environment: 3 } as const
export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** An end that is told in words, without a stack: what happened, and what to do about it, in Chinese and English. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  readonly exit: Exit
  readonly zh: string
  readonly en: string

  constructor(exit: Exit, zh: string, en: string, options?: ErrorOptions) {
    super(`${zh}\n${en}`, options)
    this.exit = exit
    this.zh = zh
    this.en = en
  }
}

/** Turns whatever was thrown into an end told in words. */
export function toFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error
  if (error instanceof GatewayError) return ofGateway(error)
  const message = error instanceof Error ? error.message : String(error)
  const environment = isUnreachable(error)
  return new CliFailure(environment ? EXIT.environment : EXIT.runtime,
    environment ? `依赖无应答：${message}。请运行 hub doctor 查看是哪一个。` : `失败：${message}`,
    environment ? `A dependency does not answer: ${message}. "hub doctor" says which one.` : `Failed: ${message}`, { cause: error })
}

function ofGateway(error: GatewayError): CliFailure {
  const { gateway, status, code, title, detail } = error
  if (code === 'UNREACHABLE') {
    return new CliFailure(EXIT.environment, `网关 ${gateway} 无应答。请确认它在运行（npm start），或运行 hub doctor。`,
      `The gateway at ${gateway} does not answer. Is it running (npm start)? "hub doctor" says more.`, { cause: error })
  }
  const exit = status === 401 || status === 403 || status === 503 ? EXIT.environment : status !== undefined && status >= 400 && status < 500 ? EXIT.validation : EXIT.runtime
  const answered = status === undefined ? code : `${status} ${code}`
  return new CliFailure(exit, `网关 ${gateway} 回答 ${answered}：${title}`, `The gateway at ${gateway} answered ${answered}: ${title}${detail === undefined ? '' : `. ${detail}`}`, { cause: error })
}

function isUnreachable(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string' && /^(ECONN|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOST|BROKER_UNREACHABLE|REGISTRY_SILENT|DB_TRANSIENT|UND_ERR)/.test(code)) return true
  }
  return false
}
