import type { Db } from '@hub/runtime/db'
import type { Documented } from '@hub/runtime/http'
import { page } from '@hub/runtime/page'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { convergenceBody } from '../convergence/convergence-page.ts'
import { type NotedPartition, readNoted } from '../convergence/convergence-store.ts'
import { standingOf, summarise } from '../convergence/convergence.ts'
import { CONVERGENCE_EXAMPLE } from '../openapi/convergence.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'

const ROLES = { roles: ['operator', 'reader', 'officer'] } as const

/** `GET /v1/convergence` and the page `/convergence`: whether the replicas of the four regions are the same, up to when, since when. */
export function convergenceRoutes(db: Db, region: Region): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/v1/convergence', { config: { access: ROLES, documented: DOCUMENTED }, schema: SCHEMA }, async ({ caller }) => {
      const noted = await fromReplica(readNoted(db))
      const now = Date.now()
      const named = caller!.roles.includes('operator')
      return { region, ...summarise(noted, now), partitions: noted.map((one) => told(one, now, named)) }
    })
    app.get('/convergence', { config: { access: ROLES, page: { menu: '四地一致性 · Convergence' } } }, async (request, reply) => {
      const noted = await fromReplica(readNoted(db))
      const now = Date.now()
      return page(request, reply, { title: '四地副本是否一致 · Are the four replicas the same?', body: convergenceBody(summarise(noted, now), region, now) })
    })
  }
}

/** Which records differed is the operators' to know: an id may be of a record that a reader is not shown. */
function told(one: NotedPartition, now: number, named: boolean): object {
  const { origin, stream, topic, partition, nextOffset, regions, scrub } = one
  return {
    origin, stream, topic, partition, ...standingOf(one, now), nextOffset: nextOffset === null ? null : String(nextOffset),
    replicas: (regions ?? []).map(({ region, nextOffset: newest, at, digest, parkedDigest }) => ({
      region, nextOffset: newest === null ? null : String(newest), at: at === null ? null : new Date(at), digest, parkedDigest,
    })),
    scrub: scrub === null ? null : { ...scrub, findings: named ? scrub.findings : [] },
  }
}

const SCHEMA = {
  operationId: 'readConvergence',
  summary: '四地副本是否一致 · whether the four replicas are the same',
  description: '按分区比较四地校验点（记录摘要、搁置摘要）在最近共同位移处的值；scrub 为本地副本逐行核对的结果，差异的记录编号只给运维。'
    + ' · Compares the checkpoints of the four regions at the newest common offset of each partition; `scrub` is what the last look at every row of this replica found, with record ids for operators alone.',
  tags: ['operate'],
}

const DOCUMENTED: Documented = {
  response: { 200: { description: '四地与各分区 · as a whole and by partition', content: { 'application/json': { schema: { $ref: 'Convergence#' }, example: CONVERGENCE_EXAMPLE } } }, 503: REPLICA_DOWN },
}
