import type { Region } from '@hub/schemas/streams'
import type { Replica } from './replicas.ts'

/** What a comparison of the replicas of one topic can end with (design 5), and how it is called in Chinese. */
export const VERDICTS = { equal: '一致', behind: '落后', 'parked sets differ': '搁置不同', different: '不一致' } as const
export type VerdictName = keyof typeof VERDICTS

/** One partition of a replica, recomputed from its rows in one snapshot. */
export interface VerifiedPartition {
  topic: string
  partition: number
  nextOffset: bigint
  records: bigint
  /** 32 hexadecimal digits, from the rows. */
  digest: string
  /** The one kept incrementally. */
  keptDigest: string
  parkedDigest: string
}

export interface TopicVerdict {
  topic: string
  verdict: VerdictName
  replicas: { region: Region, records: bigint, digest: string, matchesKept: boolean }[]
}

const TRIES = 20
const PAUSE_MS = 250

/**
 * Recomputes every replica's digests from its rows and compares them. Where replicas stand at different offsets and differ, they are
 * read again for some seconds: events may be on their way.
 */
export async function verifyReplicas(replicas: readonly Replica[]): Promise<TopicVerdict[]> {
  for (let left = TRIES; ; left--) {
    const read = await Promise.all(replicas.map(async ({ region, db }) => ({ region, partitions: await readVerified(db) })))
    const verdicts = compareReplicas(read)
    if (left === 1 || verdicts.every(({ verdict }) => verdict !== 'behind')) return verdicts
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** The verdict of each topic that any replica has; a replica that lacks a partition is behind. */
export function compareReplicas(replicas: readonly { region: Region, partitions: readonly VerifiedPartition[] }[]): TopicVerdict[] {
  const topics = [...new Set(replicas.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)))].sort()
  return topics.map((topic) => {
    const each = replicas.map(({ region, partitions }) => ({ region, partitions: partitions.filter((one) => one.topic === topic) }))
    const numbers = [...new Set(each.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)))]
    const verdicts = numbers.map((number) => comparePartition(each.map(({ partitions }) => partitions.find(({ partition }) => partition === number))))
    return {
      topic,
      verdict: worst(verdicts),
      replicas: each.map(({ region, partitions }) => ({
        region,
        records: partitions.reduce((total, { records }) => total + records, 0n),
        digest: xor(partitions.map(({ digest }) => digest)),
        matchesKept: partitions.every(({ digest, keptDigest }) => digest === keptDigest),
      })),
    }
  })
}

function comparePartition(replicas: readonly (VerifiedPartition | undefined)[]): VerdictName {
  const present = replicas.filter((one) => one !== undefined)
  if (present.some(({ digest, keptDigest }) => digest !== keptDigest)) return 'different'
  const same = (pick: (one: VerifiedPartition) => string | bigint): boolean => new Set(present.map(pick)).size <= 1
  const complete = present.length === replicas.length
  if (complete && same(({ digest }) => digest) && same(({ parkedDigest }) => parkedDigest)) return 'equal'
  if (!complete || !same(({ nextOffset }) => nextOffset)) return 'behind'
  return same(({ digest }) => digest) ? 'parked sets differ' : 'different'
}

const SEVERITY: readonly VerdictName[] = ['equal', 'behind', 'parked sets differ', 'different']

function worst(verdicts: readonly VerdictName[]): VerdictName {
  return SEVERITY[Math.max(0, ...verdicts.map((verdict) => SEVERITY.indexOf(verdict)))] ?? 'different'
}

/** One digest for a topic: the XOR of its partitions'. */
function xor(digests: readonly string[]): string {
  return digests.reduce((total, digest) => total ^ BigInt(`0x${digest}`), 0n).toString(16).padStart(32, '0')
}

/** It reads every row of the replica. */
const VERIFY_MS = 10 * 60_000

async function readVerified(db: Replica['db']): Promise<VerifiedPartition[]> {
  const { rows } = await db.query<VerifiedPartition>({
    text: `SELECT topic, partition, next_offset AS "nextOffset", records, digest, kept_digest AS "keptDigest", parked_digest AS "parkedDigest"
             FROM hub_verify() ORDER BY topic, partition`,
    timeoutMs: VERIFY_MS,
  })
  return rows
}
