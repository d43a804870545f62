import { HubError } from '../errors.ts'

/** A failing database call: `class` says whether waiting helps (`transient`), the data are refused (`data`) or the code is wrong (`other`). */
export class DbError extends HubError {
  override readonly name = 'DbError'
  readonly class: 'transient' | 'data' | 'other'
  readonly sqlState: string | undefined
  /** True when the connection died while COMMIT was under way: it may or may not have happened. */
  readonly outcomeUnknown: boolean

  constructor(cause: unknown, outcomeUnknown = false) {
    const kind = outcomeUnknown ? 'transient' : classify(cause)
    super(`DB_${kind.toUpperCase()}`, cause instanceof Error ? cause.message : String(cause), { cause, retriable: kind === 'transient' })
    this.class = kind
    this.sqlState = sqlState(cause)
    this.outcomeUnknown = outcomeUnknown
  }
}

/** The SQLSTATE of a PostgreSQL error, anywhere along the cause chain. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code
    // System errors have codes of letters alone (EPIPE).
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code
  }
  return undefined
}

/** Class 22 and 23 = the data are refused; connection, resource, lock and shutdown states = transient; everything else = a fault of ours. */
export function classify(error: unknown): 'transient' | 'data' | 'other' {
  const state = sqlState(error)
  if (state === undefined) return looksLikeConnection(error) ? 'transient' : 'other'
  if (state.startsWith('22') || state.startsWith('23')) return 'data'
  if (/^(08|40|53|57|58)/.test(state) || state === '25P03' || state === '55P03' || state === '25006') return 'transient'
  return 'other'
}

function looksLikeConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: string }).code ?? ''
  return /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|ENOENT)/.test(code)
    || /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|connection timeout|Query read timeout/i.test(error.message)
}

/** True for what may come in the place of the answer to a COMMIT that happened: a lost connection, a server going down. */
export function leavesCommitOpen(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined || /^(08|57|58|XX)/.test(state)
}
