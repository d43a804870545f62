import { defineConfig } from '@hub/runtime/config'
import { REGIONS } from '@hub/schemas/streams'

export const announcerConfig = defineConfig({
  region: { env: 'HUB_REGION', type: 'string', choices: REGIONS, doc: 'region that this announcer acts for: sh, js, zj or ah' },
  databaseUrl: { env: 'HUB_DATABASE_URL', type: 'url', secret: true, doc: "the region's database" },
  registryUrl: { env: 'HUB_REGISTRY_URL', type: 'url', doc: 'schema registry, Confluent API' },
  topicPrefix: { env: 'HUB_TOPIC_PREFIX', type: 'string', default: '', doc: 'put before every topic name; for tests on a shared broker' },
  stateDir: { env: 'HUB_STATE_DIR', type: 'path', doc: 'folder of this process alone: schemas kept from the registry' },
  callersFile: { env: 'HUB_CALLERS_FILE', type: 'path', doc: "the region's callers.yaml" },
  signingKeyFile: { env: 'HUB_SIGNING_KEY_FILE', type: 'path', doc: "the region's private Ed25519 key, PEM; it signs figures and approvals" },
  publicKeysDir: { env: 'HUB_PUBLIC_KEYS_DIR', type: 'path', doc: "folder with <region>/keys.yaml of all four: whose signatures count" },
  leads: { env: 'HUB_ANNOUNCER_LEADS', type: 'list', default: 'sh,zj,js,ah'.split(','), doc: 'who drafts, in this order: the next one when the one before says nothing; the same in all regions' },
  silence: { env: 'HUB_ANNOUNCER_SILENCE', type: 'duration', default: 600_000, doc: 'how long a region that should draft may say nothing' },
  deadline: { env: 'HUB_ANNOUNCER_DEADLINE', type: 'duration', default: 8 * 3_600_000, doc: 'from the cut on; an announcement that lacks a region then is held, and may be published without it' },
  trustedProxies: { env: 'HUB_TRUSTED_PROXIES', type: 'list', default: [], doc: 'addresses or networks of the proxies in front, whose x-forwarded-for, -proto and -host are believed; none = no header is. The address in the QR code is made of them' },
  host: { env: 'HUB_HTTP_HOST', type: 'string', default: '127.0.0.1', doc: 'address to listen on' },
  announcerPort: { env: 'HUB_ANNOUNCER_PORT', type: 'int', doc: 'port to listen on; 0 takes a free one' },
  logLevel: { env: 'HUB_LOG_LEVEL', type: 'string', default: 'info', doc: 'debug, info, warn or error' },
})

export type AnnouncerConfig = ReturnType<typeof announcerConfig.read>
