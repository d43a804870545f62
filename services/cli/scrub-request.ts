import { userInfo } from 'node:os'
import type { Region } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'
import type { Replica } from './replicas.ts'

/** A record that was not what the log makes of it; values that may not be shown are hashes. */
export interface Finding {
  recordId: string
  what: string
  fields: { field: string, here: string | null, log: string | null }[]
}

/** What the scrubber of one replica did on request. */
export interface ScrubResult {
  region: Region
  partitions: number
  rows: number
  ms: number
  equal: number
  repaired: number
  different: number
  reasons: string[]
  findings: Finding[]
}

export interface ScrubWish {
  kind: 'scrub' | 'repair'
  /** Without one, every partition. */
  place?: { topic: string, partition: number }
  why: string
}

const POLL_MS = 200
/** How long a replica may leave a request alone while nobody holds its lease. */
const NOBODY_MS = 15_000
const DEADLINE_MS = 60 * 60_000

/** Has the process that applies look at its replica now, and waits for what it says. @throws CliFailure where none runs, or does not know the partition */
export async function askScrubber({ region, db }: Replica, { kind, place, why }: ScrubWish): Promise<ScrubResult> {
  if (place !== undefined) {
    const { rows: [known] } = await db.query('SELECT 1 FROM consumer_offset WHERE topic = $1 AND partition = $2', [place.topic, place.partition])
    if (known === undefined) throw new CliFailure(EXIT.validation, `${region} 的副本没有 ${place.topic} 的分区 ${place.partition}。`, `The replica of ${region} has no partition ${place.partition} of ${place.topic}.`)
  }
  const { rows: [request] } = await db.query<{ id: bigint }>(
    'INSERT INTO scrub_request (kind, topic, partition, who, why) VALUES ($1, $2, $3, $4, $5) RETURNING id', [kind, place?.topic ?? null, place?.partition ?? null, userInfo().username, why])
  const began = performance.now()
  let heldAt = began
  for (;;) {
    const { rows: [row] } = await db.query<{ outcome: Omit<ScrubResult, 'region'> | null, held: boolean }>(
      'SELECT outcome, (SELECT lease_until > clock_timestamp() FROM applier) AS held FROM scrub_request WHERE id = $1', [request!.id])
    if (row?.outcome) return { region, ...row.outcome }
    if (row?.held) heldAt = performance.now()
    if (performance.now() - heldAt > NOBODY_MS || performance.now() - began > DEADLINE_MS) {
      await db.query('DELETE FROM scrub_request WHERE id = $1 AND finished_at IS NULL', [request!.id])
      throw new CliFailure(EXIT.environment, `${region} 的 replicator 没有在运行，无人核对副本。请启动后再试。`, `No replicator of ${region} is running, so nobody looks at its replica. Start it and try again.`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** One line per record: what differed, where, and both values. */
export function findingRows(results: readonly ScrubResult[]): string[][] {
  return results.flatMap(({ region, findings }) => findings.flatMap(({ recordId, what, fields }) =>
    (fields.length === 0 ? [[region, recordId, what, '–', '–', '–']] : fields.map(({ field, here, log }) => [region, recordId, what, field, here ?? '–', log ?? '–']))))
}
