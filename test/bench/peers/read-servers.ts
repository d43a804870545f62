import { join } from 'node:path'
import { RECORDS_SCHEMA, recordRoutes } from '@hub/gateway/routes/records'
import { addComponents } from '@hub/gateway/openapi/document'
import { checkParameters } from '@hub/gateway/read/list-query'
import { readRecords } from '@hub/gateway/read/record-store'
import { decodeBody, metaOf } from '@hub/gateway/read/record-view'
import { fromReplica } from '@hub/gateway/read/replica'
import { keepCallers } from '@hub/runtime/callers'
import { createCodec } from '@hub/runtime/codec'
import { createDb } from '@hub/runtime/db'
import { createHttp } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { toJson } from '@hub/schemas/record-json'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import { serveChild } from '../child.ts'

export interface ReadServersSettings {
  region: Region
  databaseUrl: string
  registryUrl: string
  topicPrefix: string
  callersFile: string
  stateDir: string
}

export interface ReadServers {
  /** The gateway's own route: a key is needed, the viewer's fields are shown. */
  guarded: string
  /** The same read by anyone, with every field; and `/cpu`, what this process has used so far. */
  plain: string
}

/** Two servers in one process over one replica, the same read with and without authentication and visibility; parameters are checked by both. */
serveChild(async ({ region, databaseUrl, registryUrl, topicPrefix, callersFile, stateDir }: ReadServersSettings, say) => {
  const log = createLog({ service: 'bench', level: 'silent' })
  const metrics = createMetrics({})
  const db = createDb({ url: databaseUrl, name: 'bench', max: 8, log })
  const codec = await createCodec({ registryUrl, cacheDir: join(stateDir, 'read'), contracts: ALL_CONTRACTS, guard: createGuard, log })
  const callers = await keepCallers(callersFile, log, metrics)
  const common = { log, title: 'bench', host: '127.0.0.1', port: 0, readiness: async () => [] }
  const guarded = await createHttp({
    ...common, metrics, authenticate: callers.authenticate,
    routes(app) {
      addComponents(app)
      recordRoutes({ db, codec, region, topicPrefix, cursorSecret: databaseUrl })(app)
    },
  })
  const plain = await createHttp({
    ...common, metrics,
    routes(app) {
      app.get('/cpu', { config: { access: 'open' } }, () => process.cpuUsage())
      const checked = { config: { access: 'open' as const }, schema: RECORDS_SCHEMA, preValidation: async ({ query }: { query: unknown }) => checkParameters('complaint', query as Record<string, unknown>) }
      app.get<{ Querystring: { recordId: string } }>('/v1/streams/:stream/records', checked, async ({ query: { recordId } }) => {
        const { head, rows } = await fromReplica(readRecords(db, 'complaint', TABLES.complaint.table, partitionOf(recordId, PARTITIONS.complaint), recordId, REGIONS))
        const records = []
        for (const { body, version, offset, ...row } of rows) {
          const { contract, record } = await decodeBody(codec, body)
          records.push({ ...row, version: String(version), offset: String(offset), body: toJson(contract, record) })
        }
        return { meta: metaOf(head, region, topicPrefix), records }
      })
    },
  })
  say({ guarded: guarded.url, plain: plain.url } satisfies ReadServers)
  await new Promise(() => {})
})
