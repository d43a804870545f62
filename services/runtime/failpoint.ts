import { appendFileSync } from 'node:fs'
import { HubError } from './errors.ts'

/**
 * The places where a test may strike a process, in the order an event passes them: each stands in the code as `failpoint('…')`, where one
 * step is done and the next has not begun. `kafka.*` and `db.*` are passed by all: their `of` is the kind of request (`Produce`), or the name of
 * the pool whose transaction it is. Of `announce.*` it is the announcement (`315-week/2026`), of `announce.said` with what is said (`315-week/2026 draft`). `act.*` are passed when an operator asks for something.
 */
export const FAILPOINTS = [
  'publish.read', 'publish.prepared', 'publish.taken', 'publish.decided', 'publish.committed', 'publish.settled', 'publish.told',
  'relay.leased', 'relay.read', 'relay.encoded', 'relay.acknowledged', 'relay.noting', 'relay.noted', 'relay.heartbeat-written', 'relay.trimmed',
  'replicate.leased', 'replicate.fetched', 'replicate.queued', 'replicate.taken', 'replicate.decided', 'replicate.committed', 'replicate.advanced',
  'replicate.position-written', 'replicate.position-committed',
  'announce.opened', 'announce.heads-locked', 'announce.markers-written', 'announce.markers-committed', 'announce.computed', 'announce.said', 'announce.published',
  'import.stored', 'import.placed', 'import.received', 'import.begun', 'import.batch-committed', 'import.acts-committed', 'import.read', 'import.finished', 'import.reverted',
  'import.inbox-moved', 'import.inbox-reported', 'import.inbox-put',
  'kafka.request-sent', 'db.commit-sent', 'db.commit-answered',
  'act.republished', 'act.recovered', 'act.recovery-written', 'act.cleared', 'act.rebuilt', 'act.redriven', 'act.repaired',
] as const
export type FailpointName = typeof FAILPOINTS[number]

/** What happens at one place, at its n-th pass (from 1) and never again. */
export interface Strike {
  readonly point: FailpointName
  /** Passes of this one alone count; any by default. */
  readonly of?: string
  readonly at: number
  /** `exit`: SIGKILL to itself. `stop`: SIGSTOP to itself. `delay`: nothing of the process moves for `ms`. `throw`: as a dependency that fails. */
  readonly action: 'exit' | 'stop' | 'delay' | 'throw'
  readonly ms?: number
}

export interface FailpointPlan {
  /** File that gets a line of JSON right before each strike, so that a test knows that it came about. */
  readonly note: string
  readonly strikes: readonly Strike[]
}

/** Reads HUB_FAILPOINTS, which only a process that a test started may have. @throws Error naming what is wrong */
export function readFailpoints(env: NodeJS.ProcessEnv): FailpointPlan | undefined {
  const text = env['HUB_FAILPOINTS']
  if (text === undefined || text === '') return undefined
  if (env['HUB_TEST_PROCESS'] !== 'true') throw new Error('HUB_FAILPOINTS 只用于测试，请删除 · HUB_FAILPOINTS strikes this process on purpose and is for tests alone (HUB_TEST_PROCESS=true): remove it')
  const plan = JSON.parse(text) as FailpointPlan
  if (typeof plan.note !== 'string' || !Array.isArray(plan.strikes)) throw new Error('HUB_FAILPOINTS must be {"note": file, "strikes": […]}')
  for (const { point, at, action } of plan.strikes) {
    if (!FAILPOINTS.includes(point)) throw new Error(`HUB_FAILPOINTS names "${point}", which is no failpoint: ${FAILPOINTS.join(', ')}`)
    if (!Number.isSafeInteger(at) || at < 1) throw new Error(`HUB_FAILPOINTS: "at" of ${point} must be a pass from 1 on`)
    if (!Object.hasOwn(ACTIONS, action)) throw new Error(`HUB_FAILPOINTS: "${action}" at ${point} is not one of ${Object.keys(ACTIONS).join(', ')}`)
  }
  return plan
}

/** Counts passes and strikes where the plan says. */
export function createFailpoints(plan: FailpointPlan): (point: FailpointName, of?: string) => void {
  const passes = plan.strikes.map(() => 0)
  return (point, of) => {
    for (const [i, strike] of plan.strikes.entries()) {
      if (strike.point !== point || (strike.of !== undefined && strike.of !== of)) continue
      passes[i]!++
      if (passes[i] !== strike.at) continue
      appendFileSync(plan.note, `${JSON.stringify({ ...strike, pid: process.pid })}\n`)
      ACTIONS[strike.action](strike)
    }
  }
}

const ACTIONS: Record<Strike['action'], (strike: Strike) => void> = {
  exit() {
    process.kill(process.pid, 'SIGKILL')
    standStill(60_000) // not one instruction more, should the signal take its time
  },
  stop() {
    process.kill(process.pid, 'SIGSTOP')
  },
  delay: ({ ms = 1_000 }) => standStill(ms),
  throw({ point }) {
    throw new HubError('FAILPOINT', `a test makes ${point} fail`, { retriable: true })
  },
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const plan = readFailpoints(process.env)
const strike = plan === undefined ? undefined : createFailpoints(plan)

export const failpointsOn = strike !== undefined

/** A place where tests strike; nothing otherwise. `of` tells processes or parts apart that pass the same place. */
export function failpoint(point: FailpointName, of?: string): void {
  if (strike !== undefined) strike(point, of)
}
