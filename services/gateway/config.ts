import { defineConfig } from '@hub/runtime/config'
import { REGIONS } from '@hub/schemas/streams'

export const gatewayConfig = defineConfig({
  region: { env: 'HUB_REGION', type: 'string', choices: REGIONS, doc: 'region this gateway publishes for: sh, js, zj or ah' },
  databaseUrl: { env: 'HUB_DATABASE_URL', type: 'url', secret: true, doc: "the region's database" },
  registryUrl: { env: 'HUB_REGISTRY_URL', type: 'url', doc: 'schema registry, Confluent API' },
  topicPrefix: { env: 'HUB_TOPIC_PREFIX', type: 'string', default: '', doc: 'put before every topic name; for tests on a shared broker' },
  host: { env: 'HUB_HTTP_HOST', type: 'string', default: '127.0.0.1', doc: 'address to listen on' },
  port: { env: 'HUB_HTTP_PORT', type: 'int', doc: 'port to listen on; 0 takes a free one' },
  callersFile: { env: 'HUB_CALLERS_FILE', type: 'path', doc: "the region's callers.yaml" },
  sourcesFile: { env: 'HUB_SOURCES_FILE', type: 'path', default: null, doc: "the region's sources.yaml; without it no source is declared" },
  stateDir: { env: 'HUB_STATE_DIR', type: 'path', doc: 'folder for schemas kept from the registry and for spooled verdicts' },
  inboxDir: { env: 'HUB_INBOX_DIR', type: 'path', default: null, doc: 'folder of the watched folders: files in <source>/inbox are imported and moved to <source>/done or <source>/rejected, with a report beside; none = nothing is watched' },
  importSecretFile: { env: 'HUB_IMPORT_SECRET_FILE', type: 'string', default: '', doc: 'secret by which report and order numbers of imported files are hashed, 64 hexadecimal digits or more; the same for all gateways of a region; by default made once in HUB_STATE_DIR' },
  trustedProxies: { env: 'HUB_TRUSTED_PROXIES', type: 'list', default: [], doc: 'addresses or networks of the proxies in front, whose x-forwarded-for and x-forwarded-proto are believed; none = no header is' },
  requestsPerSecond: { env: 'HUB_REQUESTS_PER_SECOND', type: 'int', default: 20_000, doc: 'requests a second of one caller that has no requestsPerSecond of its own in callers.yaml; more are answered 429' },
  outboxMaxBytes: { env: 'HUB_OUTBOX_MAX_BYTES', type: 'int', default: 20 * 1024 ** 3, doc: 'bytes of events that may wait in the database for the broker; beyond it new ones are refused (503 OUTBOX_FULL) and those acknowledged stay' },
  maxLoopDelayMs: { env: 'HUB_MAX_LOOP_DELAY_MS', type: 'int', default: 250, doc: 'mean delay of the event loop over a second beyond which new events are refused (503 OVERLOADED)' },
  historyMonths: { env: 'HUB_HISTORY_MONTHS', type: 'int', default: 26, doc: 'months that superseded versions are kept' },
  logLevel: { env: 'HUB_LOG_LEVEL', type: 'string', default: 'info', doc: 'debug, info, warn or error' },
})

export type GatewayConfig = ReturnType<typeof gatewayConfig.read>
