import { defineConfig } from '@hub/runtime/config'
import { REGIONS } from '@hub/schemas/streams'

export const lookupConfig = defineConfig({
  region: { env: 'HUB_REGION', type: 'string', choices: REGIONS, doc: 'region that this lookup serves, and by whose checkpoints it is proven: sh, js, zj or ah' },
  brokers: { env: 'HUB_KAFKA_BROKERS', type: 'list', doc: 'Kafka brokers, host:port' },
  username: { env: 'HUB_KAFKA_USERNAME', type: 'string', default: null, doc: 'SCRAM-SHA-512 user of the region; left out where the broker asks nobody' },
  password: { env: 'HUB_KAFKA_PASSWORD', type: 'string', secret: true, default: null, doc: 'its password' },
  databaseUrl: { env: 'HUB_DATABASE_URL', type: 'url', secret: true, doc: "the region's database; questions about a code are answered without it" },
  registryUrl: { env: 'HUB_REGISTRY_URL', type: 'url', doc: 'schema registry, Confluent API' },
  topicPrefix: { env: 'HUB_TOPIC_PREFIX', type: 'string', default: '', doc: 'put before every topic name; for tests on a shared broker' },
  stateDir: { env: 'HUB_STATE_DIR', type: 'path', doc: 'folder of this process alone: schemas kept from the registry, and credit-lookup/ with details and snapshots' },
  callersFile: { env: 'HUB_CALLERS_FILE', type: 'path', doc: "the region's callers.yaml" },
  signingKeyFile: { env: 'HUB_SIGNING_KEY_FILE', type: 'path', default: null, doc: "private key that the region signs with, PEM, Ed25519; its public half stands in the region's keys.yaml. Without it nothing is signed" },
  snapshotSeconds: { env: 'HUB_LOOKUP_SNAPSHOT_SECONDS', type: 'int', default: 300, doc: 'time between two snapshots; the last one is written at the stop' },
  trustedProxies: { env: 'HUB_TRUSTED_PROXIES', type: 'list', default: [], doc: 'addresses or networks of the proxies in front, whose x-forwarded-for and x-forwarded-proto are believed; none = no header is' },
  host: { env: 'HUB_HTTP_HOST', type: 'string', default: '127.0.0.1', doc: 'address to listen on' },
  lookupPort: { env: 'HUB_LOOKUP_PORT', type: 'int', doc: 'port to listen on; 0 takes a free one' },
  logLevel: { env: 'HUB_LOG_LEVEL', type: 'string', default: 'info', doc: 'debug, info, warn or error' },
})

export type LookupConfig = ReturnType<typeof lookupConfig.read>
