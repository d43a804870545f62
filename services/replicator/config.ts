import { defineConfig } from '@hub/runtime/config'
import { REGIONS } from '@hub/schemas/streams'

export const replicatorConfig = defineConfig({
  region: { env: 'HUB_REGION', type: 'string', choices: REGIONS, doc: 'region whose replica this is: sh, js, zj or ah' },
  brokers: { env: 'HUB_KAFKA_BROKERS', type: 'list', doc: 'Kafka brokers, host:port' },
  username: { env: 'HUB_KAFKA_USERNAME', type: 'string', default: null, doc: 'SCRAM-SHA-512 user of the region; left out where the broker asks nobody' },
  password: { env: 'HUB_KAFKA_PASSWORD', type: 'string', secret: true, default: null, doc: 'its password' },
  registryUrl: { env: 'HUB_REGISTRY_URL', type: 'url', doc: 'schema registry, Confluent API' },
  databaseUrl: { env: 'HUB_DATABASE_URL', type: 'url', secret: true, doc: "the region's database" },
  topicPrefix: { env: 'HUB_TOPIC_PREFIX', type: 'string', default: '', doc: 'put before every topic name; for tests on a shared broker' },
  stateDir: { env: 'HUB_STATE_DIR', type: 'path', doc: 'folder for schemas kept from the registry' },
  archiveMonths: { env: 'HUB_ARCHIVE_MONTHS', type: 'int', default: 36, doc: "months that earlier versions of the region's own ended records are kept in its archive" },
  historyMonths: { env: 'HUB_HISTORY_MONTHS', type: 'int', default: 26, doc: 'months that superseded versions are kept' },
  scrubMinutes: { env: 'HUB_SCRUB_MINUTES', type: 'int', default: 10, doc: 'minutes in which every partition of the replica is recomputed from its rows once' },
  host: { env: 'HUB_HTTP_HOST', type: 'string', default: '127.0.0.1', doc: 'address to listen on' },
  port: { env: 'HUB_HTTP_PORT', type: 'int', default: null, doc: 'port for /livez, /readyz and /metrics; 0 takes a free one, none serves nothing' },
  logLevel: { env: 'HUB_LOG_LEVEL', type: 'string', default: 'info', doc: 'debug, info, warn or error' },
})

export type ReplicatorConfig = ReturnType<typeof replicatorConfig.read>
