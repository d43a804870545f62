import { sqlState } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import { Problem, problemAnswer } from '@hub/runtime/http'

const READ_DEADLINE_MS = 10_000
/** SQLSTATE undefined_table. */
const UNDEFINED_TABLE = '42P01'

/** For the document of a route that reads the replica. */
export const REPLICA_DOWN = problemAnswer('副本暂不可读，按 Retry-After 重试 · the replica cannot be read: try again after Retry-After seconds', 'REPLICA_MISSING')

/** A read of the replica's tables, which are not there before a replicator of this region has started once. */
export async function fromReplica<T>(read: Promise<T>): Promise<T> {
  try {
    return await within(read, READ_DEADLINE_MS)
  } catch (error) {
    if (sqlState(error) !== UNDEFINED_TABLE) throw error
    throw new Problem(503, 'REPLICA_MISSING', '本地区尚无副本 · this region has no replica yet', "Start the region's replicator; it makes the tables that this is read from.")
  }
}
