import type { Db } from '@hub/runtime/db'
import type { Documented } from '@hub/runtime/http'
import { isDataStream, type Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { vectorText } from '../read/as-of.ts'
import { POSITION_EXAMPLE } from '../openapi/document.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { readPosition, readReplicaId } from '../read/position-store.ts'

/** `GET /v1/position`: how far this region's replica is, partition by partition, with its counters and digests. Numbers are decimal strings. */
export function positionRoutes(db: Db, region: Region, topicPrefix: string): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/v1/position', { config: { access: { roles: ['operator', 'reader'] }, documented: DOCUMENTED }, schema: SCHEMA }, async () => {
      const [replica, partitions] = await fromReplica(Promise.all([readReplicaId(db), readPosition(db)]))
      const places = partitions.filter(({ stream }) => isDataStream(stream)).map(({ topic, partition, generation, nextOffset: offset }) => [`${topic.slice(topicPrefix.length)}/${partition}`, { generation, offset }] as const)
      return { region, replica, text: vectorText(places), partitions: partitions.map(decimal) }
    })
  }
}

function decimal(row: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]))
}

const SCHEMA = {
  operationId: 'readPosition',
  summary: '副本位置 · position of the replica',
  description: '各分区：next − first = applied + duplicate + stale + folded + parked + control + absent。 · Each event of a partition is in exactly one class.',
  tags: ['operate'],
}

const DOCUMENTED: Documented = {
  response: { 200: { description: '各分区的位置 · position of each partition', content: { 'application/json': { schema: { $ref: 'Position#' }, example: POSITION_EXAMPLE } } }, 503: REPLICA_DOWN },
}
