import kafkajs, { type AclOperationTypes as AclOperation, type Kafka as KafkaJs } from 'kafkajs'
import { HubError } from '../errors.ts'
import { connectionFailure } from './failure.ts'
import { topicOffsets, type PartitionOffsets } from './offsets.ts'

// Node finds only some names of this CommonJS package, so whatever is no type comes off its default export.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } = kafkajs

export interface TopicDeclaration {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly settings: Readonly<Record<string, string>>
}

export interface AclDeclaration {
  readonly principal: string
  readonly resource: 'topic' | 'group'
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operations: readonly ('read' | 'write' | 'describe' | 'delete')[]
}

export interface TopicCopies {
  readonly topic: string
  /** Brokers that are to have each partition, and that have all of it now; of the partition with the fewest. */
  readonly replicas: number
  readonly inSync: number
  /** Brokers that have an event before it is acknowledged: `min.insync.replicas`. */
  readonly least: number
}

export interface Admin extends AsyncDisposable {
  /** Broker addresses that answer now; throws when none does. */
  describeCluster(): Promise<{ clusterId: string; brokers: string[] }>
  topics(): Promise<{ topic: string; partitions: number }[]>
  /** Explicit settings of topics, by topic. */
  topicSettings(topics: readonly string[]): Promise<Map<string, Map<string, string>>>
  /** How safe what is acknowledged in topics is. */
  copies(topics: readonly string[]): Promise<TopicCopies[]>
  /** Creates those that are missing and waits for their leaders; says which it created. Existing ones are left as they are. */
  ensureTopics(declarations: readonly TopicDeclaration[]): Promise<string[]>
  /** In the order of the partitions. */
  offsets(topic: string): Promise<PartitionOffsets[]>
  /** Adds what is missing; what is there already stays as it is. */
  createAcls(acls: readonly AclDeclaration[]): Promise<void>
  /** What a principal is allowed on topics and groups, one entry per resource. @throws HubError NO_AUTHORIZER where the cluster checks nothing */
  aclsOf(principal: string): Promise<AclDeclaration[]>
  deleteGroup(groupId: string): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  close(): Promise<void>
}

const OPERATIONS = {
  read: AclOperationTypes.READ, write: AclOperationTypes.WRITE, describe: AclOperationTypes.DESCRIBE, delete: AclOperationTypes.DELETE,
} as const
const NAMES = new Map(Object.entries(OPERATIONS).map(([name, operation]) => [operation as AclOperation, name as keyof typeof OPERATIONS]))

const LEADERS_MS = 30_000

export async function createAdmin(client: KafkaJs): Promise<Admin> {
  const admin = client.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 } })
  await connect()

  async function connect(): Promise<void> {
    try {
      await admin.connect()
    } catch (error) {
      await admin.disconnect().catch(() => {})
      throw connectionFailure(error)
    }
  }

  async function topics(): Promise<{ topic: string; partitions: number }[]> {
    const { topics: found } = await admin.fetchTopicMetadata()
    return found.map((topic) => ({ topic: topic.name, partitions: topic.partitions.length }))
  }

  async function haveLeaders(names: readonly string[]): Promise<void> {
    for (const deadline = performance.now() + LEADERS_MS; ; ) {
      const { topics: found } = await admin.fetchTopicMetadata()
      const led = new Set(found.filter((topic) => topic.partitions.every(({ leader }) => leader >= 0)).map((topic) => topic.name))
      if (names.every((name) => led.has(name))) return
      if (performance.now() > deadline) throw new HubError('TOPICS_LEADERLESS', `topics without leaders after ${LEADERS_MS} ms`, { retriable: true })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  return {
    async describeCluster() {
      const cluster = await admin.describeCluster()
      return { clusterId: cluster.clusterId, brokers: cluster.brokers.map((broker) => `${broker.host}:${broker.port}`) }
    },
    topics,
    async topicSettings(names) {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })) })
      return new Map(resources.map((resource) => [
        resource.resourceName,
        new Map(resource.configEntries.filter((entry) => !entry.isDefault).map((entry) => [entry.configName, entry.configValue])),
      ]))
    },
    async copies(names) {
      if (names.length === 0) return []
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: ['min.insync.replicas'] })) })
      const least = new Map(resources.map(({ resourceName, configEntries }) => [resourceName, Number(configEntries[0]?.configValue ?? 1)]))
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [...names] })
      return found.map(({ name, partitions }) => ({
        topic: name, replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)), inSync: Math.min(...partitions.map(({ isr }) => isr.length)), least: least.get(name) ?? 1,
      }))
    },
    async ensureTopics(declarations) {
      const existing = new Set((await topics()).map((topic) => topic.topic))
      const missing = declarations.filter((declaration) => !existing.has(declaration.topic))
      if (missing.length === 0) return []
      await admin.createTopics({
        // kafkajs's own wait throws when the broker's metadata are behind its controller.
        waitForLeaders: false,
        timeout: 30_000,
        topics: missing.map((declaration) => ({
          topic: declaration.topic,
          numPartitions: declaration.partitions,
          replicationFactor: declaration.replicationFactor,
          configEntries: Object.entries(declaration.settings).map(([name, value]) => ({ name, value })),
        })),
      })
      const names = missing.map((declaration) => declaration.topic)
      await haveLeaders(names)
      return names
    },
    offsets: (topic) => topicOffsets(admin, topic, () => client.admin()),
    async createAcls(acls) {
      await admin.createAcls({
        acl: acls.flatMap((acl) => acl.operations.map((operation) => ({
          resourceType: acl.resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
          resourceName: acl.name,
          resourcePatternType: acl.pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
          principal: acl.principal,
          host: '*',
          operation: OPERATIONS[operation],
          permissionType: AclPermissionTypes.ALLOW,
        }))),
      })
    },
    async aclsOf(principal) {
      const any = { resourceType: AclResourceTypes.ANY, resourcePatternType: ResourcePatternTypes.ANY, operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ALLOW }
      const { resources } = await admin.describeAcls({ ...any, principal }).catch((error: unknown) => {
        if ((error as { type?: unknown }).type === 'SECURITY_DISABLED') throw new HubError('NO_AUTHORIZER', 'the cluster has no authorizer', { cause: error })
        throw error
      })
      return resources.flatMap((resource) => {
        const kind = resource.resourceType === AclResourceTypes.TOPIC ? 'topic' : resource.resourceType === AclResourceTypes.GROUP ? 'group' : undefined
        if (kind === undefined) return []
        const operations = resource.acls.flatMap(({ operation }) => NAMES.get(operation) ?? [])
        return [{ principal, resource: kind, name: resource.resourceName, pattern: resource.resourcePatternType === ResourcePatternTypes.PREFIXED ? 'prefixed' : 'literal', operations }] satisfies AclDeclaration[]
      })
    },
    async deleteGroup(groupId) {
      await admin.deleteGroups([groupId])
    },
    async deleteTopics(names) {
      if (names.length > 0) await admin.deleteTopics({ topics: [...names] })
    },
    close: () => admin.disconnect(),
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}
