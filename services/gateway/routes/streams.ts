import type { Writer } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import type { Documented } from '@hub/runtime/http'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { DATA_STREAMS, STREAM_TITLES, type DataStream, type Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { hash } from 'node:crypto'
import { STREAMS_EXAMPLE } from '../openapi/records.ts'
import { readHead, type Head } from '../read/record-store.ts'
import { freshnessOf, positionText } from '../read/record-view.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { knownSources } from '../sources/overview.ts'
import type { SourceRow } from '../sources/store.ts'

/** `GET /v1/streams`: the streams with their contracts, what this replica has of each region, and how fresh. */
export function streamRoutes({ db, region, topicPrefix, writers }: { readonly db: Db; readonly region: Region; readonly topicPrefix: string; readonly writers: ReadonlyMap<string, Writer> }): (app: FastifyInstance) => void {
  const contracts = new Map(DATA_STREAMS.map((stream) => [stream, contractsOf(stream, writers)]))
  const known = knownSources(db)
  return (app) => {
    app.get('/v1/streams', { config: { access: { roles: ['reader', 'officer', 'approver', 'publisher', 'operator'] }, documented: DOCUMENTED }, schema: SCHEMA }, async () => {
      const [head, sources] = await Promise.all([fromReplica(readHead(db)), known()])
      return {
        region,
        replica: head.replica,
        asOf: new Date(head.at).toISOString(),
        streams: DATA_STREAMS.map((stream) => ({ stream, title: STREAM_TITLES[stream], contracts: contracts.get(stream), regions: regionsOf(head, stream, topicPrefix, sources) })),
      }
    })
  }
}

function contractsOf(stream: DataStream, writers: ReadonlyMap<string, Writer>): object[] {
  return ALL_CONTRACTS.filter((contract) => contract.stream === stream).map(({ fullName, role, schemaText }) => ({
    name: fullName, role, schemaId: writers.get(fullName)!.schemaId, fingerprint: hash('sha256', schemaText, 'hex'),
  }))
}

function regionsOf(head: Head, stream: DataStream, topicPrefix: string, sources: readonly SourceRow[]): object[] {
  const own = head.partitions.filter((one) => one.stream === stream)
  const total = (of: typeof own, field: 'records' | 'ended'): string => String(of.reduce((sum, one) => sum + BigInt(one[field]), 0n))
  return freshnessOf({ ...head, partitions: own }, topicPrefix, sources).map((fresh) => {
    const partitions = own.filter(({ region }) => region === fresh.region)
    return { ...fresh, records: total(partitions, 'records'), ended: total(partitions, 'ended'), position: positionText({ ...head, partitions }, topicPrefix) }
  })
}

const SCHEMA = {
  operationId: 'listStreams',
  summary: '数据流及其新鲜度 · the streams and how fresh they are',
  description: '每个数据流的契约（注册编号和指纹）以及各地区在本副本的记录数、位置和新鲜度。 · The contracts of each stream (id in the registry, fingerprint) and, by region, what this replica has of it: records, position, freshness.',
  tags: ['read'],
}

const DOCUMENTED: Documented = {
  response: { 200: { description: '数据流 · the streams', content: { 'application/json': { schema: { $ref: 'Streams#' }, example: STREAMS_EXAMPLE } } }, 503: REPLICA_DOWN },
}
