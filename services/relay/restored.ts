import type { Db } from '@hub/runtime/db'
import type { Kafka } from '@hub/runtime/kafka'
import { type Ahead, findAhead } from './ahead.ts'
import { keyOf, type OwnPartition, type Pause } from './partition.ts'
import { openOutbox, readHeads } from './recover-store.ts'
import { fromLog } from './tasks.ts'

/** The database is older than its own logs: it was restored from a backup. Nothing may be sent or taken in before `hub recover`. */
export class LogAheadError extends Error {
  override readonly name = 'LogAheadError'
  readonly ahead: readonly Ahead[]

  constructor(ahead: readonly Ahead[]) {
    super(`the log is ahead of this database at ${ahead.map((one) => keyOf(one)).join(', ')}`)
    this.ahead = ahead
  }
}

/** Lets partitions be used whose logs hold nothing from a later state of this database, and opens them if they were closed. @throws LogAheadError */
export async function checkAgainstLog(db: Db, kafka: Kafka, groupPrefix: string, partitions: readonly OwnPartition[]): Promise<void> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))]
  const heads = await readHeads(db, topics)
  const ahead = await fromLog(findAhead(kafka, groupPrefix, partitions, new Map(heads.map((head) => [keyOf(head), head.next]))))
  if (ahead.length > 0) throw new LogAheadError(ahead)
  if (heads.some(({ closed }) => closed !== null)) await openOutbox(db, partitions)
}

/** Why nothing moves. */
export function pauseOf([first]: readonly Ahead[]): Pause {
  const { topic, partition, sequence, next } = first!
  return {
    code: 'log-ahead',
    text: `日志已有序号 ${sequence}（${topic}/${partition}），而本数据库下一个序号是 ${next}：数据库已恢复到较早的状态，请运行 hub recover · the log has sequence ${sequence} (${topic}/${partition}) and this database would give ${next} next: it was restored to an earlier state; run "hub recover"`,
  }
}
