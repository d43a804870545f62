export interface Refusal {
  /** The HTTP status; undefined where no answer came. */
  readonly status?: number | undefined
  /** The gateway's stable code (docs/errors.md), or one of the client's own: `UNREACHABLE`, `ANSWER_BROKEN`, `DEADLINE`. */
  readonly code: string
  /** What is wrong, zh-CN and English. */
  readonly title: string
  /** What to do. */
  readonly detail?: string | undefined
  /** Seconds after which the gateway asks to be tried again. */
  readonly retryAfter?: number | undefined
  /** What else the problem says, by name. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Whatever a gateway answered instead of what it was asked for, and every way in which no answer came. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  /** Base URL of the gateway. */
  readonly gateway: string
  readonly status: number | undefined
  readonly code: string
  readonly title: string
  readonly detail: string | undefined
  readonly retryAfter: number | undefined
  readonly more: Readonly<Record<string, unknown>>

  constructor(gateway: string, { status, code, title, detail, retryAfter, more = {} }: Refusal, options?: ErrorOptions) {
    super(`${gateway}: ${status ?? '–'} ${code} ${title}${detail === undefined ? '' : `. ${detail}`}`, options)
    this.gateway = gateway
    this.status = status
    this.code = code
    this.title = title
    this.detail = detail
    this.retryAfter = retryAfter
    this.more = more
  }

  /** Of a 410: the path of the snapshot to begin anew with. */
  get snapshot(): string | undefined {
    return typeof this.more['snapshot'] === 'string' ? this.more['snapshot'] : undefined
  }

  /** Whether sending the same again is safe and may help: the gateway says so, or the answer was lost on the way. A firm of which nothing can be said now is no failure. */
  get mayTryAgain(): boolean {
    return (this.status === 503 && this.code !== 'ANSWER_UNKNOWN') || this.status === 429 || this.code === 'UNREACHABLE' || this.code === 'ANSWER_BROKEN'
  }
}

/** The error of an answer that is no success: its problem document, or its status alone where it carries none. */
export function errorOf(gateway: string, status: number, retryAfter: string | undefined, body: string): GatewayError {
  const { title = `HTTP ${status}`, code = `HTTP_${status}`, detail, type: _type, status: _status, ...more } = parse(body)
  const seconds = Number(retryAfter)
  return new GatewayError(gateway, { status, code: String(code), title: String(title), detail: detail === undefined ? undefined : String(detail), retryAfter: seconds >= 0 ? seconds : undefined, more })
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
  } catch {
    return {}
  }
}
