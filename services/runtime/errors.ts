/** An error with a stable code. `retriable` says that the same call may succeed later without anyone acting. */
export class HubError extends Error {
  override readonly name: string = 'HubError'
  readonly code: string
  readonly retriable: boolean
  readonly fields: Record<string, unknown>

  constructor(code: string, message: string, options: { retriable?: boolean; cause?: unknown; fields?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retriable = options.retriable ?? false
    this.fields = options.fields ?? {}
  }
}

/** True for an error that a later try may not meet: a dependency that is down, slow or restarting. */
export function isTransient(error: unknown): boolean {
  return error instanceof Error && (error as { retriable?: unknown }).retriable === true
}
