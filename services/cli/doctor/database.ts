import { sqlState, type Db } from '@hub/runtime/db'
import { DATA_STREAMS, PARTITIONS, REGIONS } from '@hub/schemas/streams'
import { databaseOf, type Settings } from '../settings.ts'
import { messageOf, type Check, type Finding } from './check.ts'

const TABLES = ['outbox', 'relay_position', 'published', 'consumer_offset', 'parked'] as const
const PARTITIONS_OF_ALL = REGIONS.length * DATA_STREAMS.reduce((sum, stream) => sum + PARTITIONS[stream], 0)
/** Every partition gets a heartbeat every 2 s, so a replica that hears of none for this long is not being fed. */
const SILENT_AFTER_S = 30
const UNSENT_AFTER_S = 30

/** Each region's database: reachable, migrated, its replica moving and nothing left in its outbox. */
export function databaseChecks(settings: Settings): Check[] {
  return REGIONS.flatMap((region) => {
    const url = settings.regions[region]?.databaseUrl
    return url === undefined ? [] : [{ name: `database ${region}`, run: () => checkDatabase(region, url) }]
  })
}

async function checkDatabase(region: string, url: string): Promise<Finding[]> {
  const name = `database ${region}`
  const db = databaseOf(url)
  try {
    const absent = await missingTables(db)
    if (absent.length > 0) return [{ name, state: 'missing', zh: `缺少表 ${absent.join('、')}。请启动该地区的服务，它会建立这些表`, en: `lacks the tables ${absent.join(', ')}: start the services of the region, they make them` }]
    return [
      { name, state: 'ok', zh: '应答，表齐全', en: 'answers, tables are there' },
      replicaFinding(`replica ${region}`, await readReplica(db)),
      outboxFinding(`outbox ${region}`, await readOutbox(db)),
    ]
  } catch (error) {
    return [failure(name, new URL(url).host, error)]
  } finally {
    void db.close().catch(() => {})
  }
}

function failure(name: string, host: string, error: unknown): Finding {
  const said = messageOf(error)
  const state = 'missing'
  return sqlState(error) !== undefined
    ? { name, state, zh: `${host} 拒绝：${said}。请检查库名、用户名和密码`, en: `${host} refuses: check the name of the database, user and password` }
    : { name, state, zh: `${host} 无应答：${said}。请启动数据库；在此之前该地区无法发布和接收`, en: `${host} does not answer. Start the database; until then the region can neither publish nor receive` }
}

async function missingTables(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL', [[...TABLES]])
  return rows.map(({ name }) => name)
}

/** What a replica says of itself. */
export interface ReplicaState {
  /** Partitions of data streams it knows. */
  partitions: number
  paused: string[]
  parked: bigint
  lag: bigint
  /** Regions of which nothing has been applied for a while, not even a heartbeat. */
  silent: string[]
}

async function readReplica(db: Db): Promise<ReplicaState> {
  const { rows } = await db.query<{ region: string, partitions: number, paused: string[] | null, parked: bigint, lag: bigint, silent: boolean }>(
    `SELECT region, count(*) FILTER (WHERE stream = ANY($1))::int AS partitions, sum(parked_open)::bigint AS parked, sum(lag)::bigint AS lag,
            array_agg(topic || '/' || partition || ' ' || paused_reason) FILTER (WHERE paused_reason IS NOT NULL) AS paused,
            max(moved_at) < clock_timestamp() - make_interval(secs => $2) AS silent
       FROM partition_state GROUP BY region ORDER BY region`, [[...DATA_STREAMS], SILENT_AFTER_S])
  return {
    partitions: rows.reduce((sum, { partitions }) => sum + partitions, 0),
    paused: rows.flatMap(({ paused }) => paused ?? []),
    parked: rows.reduce((sum, { parked }) => sum + parked, 0n),
    lag: rows.reduce((sum, { lag }) => sum + lag, 0n),
    silent: rows.filter(({ silent }) => silent).map(({ region }) => region),
  }
}

/** Parked events call nobody: they are told, and that is all. */
export function replicaFinding(name: string, { partitions, paused, parked, lag, silent }: ReplicaState): Finding {
  const state = 'wrong'
  if (paused.length > 0) return { name, state, zh: `分区暂停：${paused.join('；')}`, en: `paused partitions: ${paused.join('; ')}` }
  if (partitions < PARTITIONS_OF_ALL) return { name, state, zh: `只有 ${partitions} 个分区，应为 ${PARTITIONS_OF_ALL} 个。请运行 hub topics apply，再看该地区的日志`, en: `has ${partitions} of ${PARTITIONS_OF_ALL} partitions. Run "hub topics apply", then see the log of the region` }
  if (silent.length > 0) return { name, state, zh: `${SILENT_AFTER_S} 秒以来没有收到 ${silent.join('、')} 的任何事件，落后 ${lag}。请确认这些地区和本地区的服务在运行`, en: `nothing of ${silent.join(', ')} for ${SILENT_AFTER_S} s, behind by ${lag}. Are those regions and this one running?` }
  return { name, state: 'ok', zh: `落后 ${lag}，搁置 ${parked}`, en: `lag ${lag}, parked ${parked}` }
}

export interface OutboxState {
  /** Without heartbeats. */
  unsent: bigint
  /** Of the oldest row, heartbeats included; 0 when there is none. */
  ageSeconds: number
  paused: string[]
}

async function readOutbox(db: Db): Promise<OutboxState> {
  const [{ rows: [unsent] }, { rows: paused }] = await Promise.all([
    db.query<{ events: bigint, age: number | null }>(
      `SELECT count(*) FILTER (WHERE type NOT LIKE 'cn.yrd.control.%') AS events, extract(epoch FROM clock_timestamp() - min(committed_at))::float8 AS age
         FROM outbox o LEFT JOIN relay_position p USING (topic, partition) WHERE o.sequence > coalesce(p.last_sequence, -1)`),
    db.query<{ what: string }>(`SELECT topic || '/' || partition || ' ' || paused_reason AS what FROM relay_position WHERE paused_reason IS NOT NULL ORDER BY 1`),
  ])
  return { unsent: unsent?.events ?? 0n, ageSeconds: unsent?.age ?? 0, paused: paused.map(({ what }) => what) }
}

export function outboxFinding(name: string, { unsent, ageSeconds, paused }: OutboxState): Finding {
  if (paused.length > 0) return { name, state: 'wrong', zh: `发送暂停：${paused.join('；')}`, en: `sending is paused: ${paused.join('; ')}` }
  const age = Math.round(ageSeconds)
  if (ageSeconds > UNSENT_AFTER_S) return { name, state: 'wrong', zh: `${unsent} 条已确认的事件未送出，最早的已等 ${age} 秒。请检查消息服务器和该地区的服务`, en: `${unsent} acknowledged events are not on the log, the oldest for ${age} s. See the broker and the services of the region` }
  return { name, state: 'ok', zh: unsent === 0n ? '已全部送出' : `${unsent} 条待送，最早的已等 ${age} 秒`, en: unsent === 0n ? 'everything is on the log' : `${unsent} to send, the oldest for ${age} s` }
}
