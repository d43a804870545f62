export interface Dependency {
  readonly name: string
  readonly ok: boolean
  /** What is wrong and what to do, when not ok. */
  readonly detail?: string
  /** False where this process serves its callers without it: /readyz tells it and stays 200. */
  readonly required?: false
}
