/** Fetches remembered while their log end is not applied yet; under load the older ones answer later questions just as well. */
const REMEMBERED = 32

/**
 * Transport freshness of one partition on this process's own monotonic clock: the latest fetch that did not see a heartbeat applied since, plus
 * the delay that heartbeat carries. At that moment the replica lacked nothing older than the delay. The fetch that brings a heartbeat says nothing by
 * itself: after a pause here or there it may be an old one, with all that was committed since still waiting at the origin.
 */
export class Freshness {
  readonly #pending: { at: number; end: number }[] = []
  #freshAt: number | undefined

  /** Notes a fetch at `at` (performance.now() ms) that saw the log end at `end`. */
  fetched(at: number, end: number): void {
    if (this.#pending.length === REMEMBERED) this.#pending.pop()
    this.#pending.push({ at, end })
  }

  /** As of when nothing would be lacking (performance.now() ms) once the heartbeat at `offset` is applied, where that says anything new. */
  freshWith(offset: number, delayMs: number): number | undefined {
    const reached = this.#pending.findLast(({ end }) => end <= offset)
    return reached === undefined ? undefined : reached.at - delayMs
  }

  /** Notes that the heartbeat at `offset`, produced `delayMs` after its commit at the origin, has been applied. */
  heartbeatApplied(offset: number, delayMs: number): void {
    let reached: { at: number } | undefined
    while (this.#pending[0] !== undefined && this.#pending[0].end <= offset) reached = this.#pending.shift()
    if (reached !== undefined) this.#freshAt = reached.at - delayMs
  }

  /** Milliseconds behind the origin at `now` (performance.now()); undefined before the first heartbeat. */
  staleness(now: number): number | undefined {
    return this.#freshAt === undefined ? undefined : now - this.#freshAt
  }
}
