import { userInfo } from 'node:os'
import type { Replica } from './replicas.ts'
import { CliFailure, EXIT } from './failure.ts'

const POLL_MS = 200
/** How long a request may be left alone while nobody holds the lease. */
const NOBODY_MS = 15_000

/** Where requests of one kind stand, who serves them, and what says that somebody is there to do so. */
export interface Desk {
  readonly table: 'scrub_request' | 'relay_request'
  readonly service: 'replicator' | 'relay'
  readonly columns: Readonly<Record<string, string | number | null>>
  /** How long it may take. */
  readonly deadlineMs: number
}

const HELD = {
  scrub_request: `SELECT coalesce((SELECT lease_until > clock_timestamp() FROM applier), false)`,
  relay_request: `SELECT coalesce((SELECT until > clock_timestamp() FROM lease WHERE name = 'relay'), false)`,
} as const

/**
 * Asks the process that holds a lease of this region for something, waits and gives what came of it. What was asked for before and is not done yet is not asked
 * for again, so that a command that was broken off goes on.
 * @throws CliFailure where nobody is there to do it, or it takes too long
 */
export async function ask<Outcome, Progress>({ region, db }: Replica, { table, service, columns, deadlineMs }: Desk, why: string, onProgress: (progress: Progress | null) => void): Promise<Outcome> {
  const names = Object.keys(columns)
  const values = Object.values(columns)
  const { rows: [open] } = await db.query<{ id: string }>(
    `SELECT id::text FROM ${table} WHERE finished_at IS NULL AND ${names.map((name, i) => `${name} IS NOT DISTINCT FROM $${i + 1}`).join(' AND ')} LIMIT 1`, values)
  const { rows: [made] } = open === undefined
    ? await db.query<{ id: string }>(`INSERT INTO ${table} (${names.join(', ')}, who, why) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}, $${names.length + 1}, $${names.length + 2}) RETURNING id::text`, [...values, userInfo().username, why])
    : { rows: [open] }
  const began = performance.now()
  let heldAt = began
  for (;;) {
    const { rows: [row] } = await db.query<{ outcome: Outcome | null, progress: Progress | null, held: boolean }>(
      `SELECT outcome, progress, (${HELD[table]}) AS held FROM ${table} WHERE id::text = $1`, [made!.id])
    if (row?.outcome) return row.outcome
    onProgress(row?.progress ?? null)
    if (row?.held) heldAt = performance.now()
    if (performance.now() - heldAt > NOBODY_MS) throw new CliFailure(EXIT.environment, `${region} 的 ${service} 没有在运行，请求已留下，启动后即处理。`, `No ${service} of ${region} is running. The request stays and is taken up once one runs.`)
    if (performance.now() - began > deadlineMs) throw new CliFailure(EXIT.runtime, `${region} 尚未完成，请求仍在处理；再次运行本命令可继续等待。`, `${region} is not done yet. The work goes on; run the command again to go on waiting.`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
