import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createCodec } from '@hub/runtime/codec'
import type { Admin, Kafka, ProduceBatch } from '@hub/runtime/kafka'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { allTopics, type Region, type Topic } from '@hub/schemas/streams'
import { parse } from 'yaml'
import { missingAcls, type Principals } from './acls.ts'
import { quietLog } from './settings.ts'
import { checkDeclaration, type TopicsDeclaration } from './topics-declaration.ts'

const DECLARATION = fileURLToPath(new URL('../../infra/topics.yaml', import.meta.url))
const GENESIS = 'cn.yrd.control.Genesis'
const READ_DEADLINE_MS = 20_000

export interface ApplyTopicsOptions {
  /** With credentials that may create topics and ACLs and write everywhere. */
  kafka: Kafka
  registryUrl: string
  /** Folder for schemas kept from the registry. */
  cacheDir: string
  topicPrefix: string
  /** The Kafka principal of each region, `User:<name>`. */
  principals: Principals
  /** Put over the declared settings of topics that are created: for tests that wait for compaction. */
  settings?: Readonly<Record<string, string>>
}

export interface TopicProblem {
  topic: string
  zh: string
  en: string
}

export interface TopicsReport {
  topics: { topic: string, region: Region, partitions: number, created: boolean, /** Partitions that got their genesis now. */ genesis: number }[]
  acls: { added: number, /** False where the cluster checks nothing. */ enforced: boolean }
  /** What differs from the declaration and was left as it is. */
  problems: TopicProblem[]
}

/**
 * Brings the broker to what infra/topics.yaml declares: missing topics, rights of each region, the genesis record of every empty
 * partition. Safe to repeat and to run twice at once; existing topics are never changed. The contracts must be registered.
 */
export async function applyTopics(options: ApplyTopicsOptions): Promise<TopicsReport> {
  const declared = await readDeclaration()
  const topics = allTopics(options.topicPrefix)
  await using admin = await options.kafka.admin()
  const created = new Set(await admin.ensureTopics(topics.map(({ topic, partitions }) =>
    ({ topic, partitions, replicationFactor: declared.replicationFactor, settings: { ...declared.settings, ...options.settings } }))))
  const { missing, enforced } = await missingAcls(admin, topics, options.topicPrefix, options.principals)
  if (missing.length > 0) await admin.createAcls(missing)
  const heads = await readHeads(options.kafka, admin, topics)
  const written = await writeGenesis(options, topics, heads)
  const problems = [
    ...await differences(admin, topics.filter(({ topic }) => !created.has(topic)), { ...declared.settings, ...options.settings }),
    ...headless(heads),
  ]
  return {
    topics: topics.map(({ topic, region, partitions }) => ({ topic, region, partitions, created: created.has(topic), genesis: written.filter((one) => one.topic === topic).length })),
    acls: { added: missing.reduce((sum, { operations }) => sum + operations.length, 0), enforced },
    problems,
  }
}

/** @throws CliFailure when the file and the partition counts that the services compute with disagree */
export async function readDeclaration(): Promise<TopicsDeclaration> {
  return checkDeclaration(parse(await readFile(DECLARATION, 'utf8')))
}

/** What differs between topics and their declaration: a topic that is missing, partitions, settings. */
export async function differences(admin: Admin, topics: readonly Topic[], declared: Readonly<Record<string, string>>): Promise<TopicProblem[]> {
  if (topics.length === 0) return []
  const partitions = new Map((await admin.topics()).map((one) => [one.topic, one.partitions]))
  const present = topics.filter(({ topic }) => partitions.has(topic))
  const settings = present.length === 0 ? new Map<string, Map<string, string>>() : await admin.topicSettings(present.map(({ topic }) => topic))
  return topics.flatMap(({ topic, partitions: wanted }) => {
    const count = partitions.get(topic)
    if (count === undefined) return [{ topic, zh: '主题不存在，请运行 hub topics apply', en: 'the topic does not exist: run "hub topics apply"' }]
    const problems: TopicProblem[] = []
    if (count !== wanted) problems.push({ topic, zh: `有 ${count} 个分区，应为 ${wanted} 个；分区数不能更改`, en: `has ${count} partitions instead of ${wanted}; a count never changes` })
    for (const [name, value] of Object.entries(declared)) {
      const found = settings.get(topic)?.get(name)
      if (found !== value) problems.push({ topic, zh: `${name} 为 ${found ?? '服务器默认值'}，应为 ${value}`, en: `${name} is ${found ?? "the broker's default"} instead of ${value}` })
    }
    return problems
  })
}

/** What stands at the beginning of a partition: nothing yet, its genesis, or something else. */
export interface Head {
  topic: string
  partition: number
  state: 'empty' | 'genesis' | 'other'
}

/** Topics that do not exist are left out. */
export async function readHeads(kafka: Kafka, admin: Admin, topics: readonly Topic[]): Promise<Head[]> {
  const ends: { topic: string, partition: number, high: bigint }[] = []
  // One after the other: kafkajs authenticates a connection twice that two requests open at once.
  for (const { topic } of topics) for (const { partition, high } of await admin.offsets(topic)) ends.push({ topic, partition, high })
  const used = [...new Set(ends.flatMap(({ topic, high }) => (high > 0n ? [topic] : [])))]
  const first = used.length === 0 ? new Map() : await kafka.readFirst({ groupId: `hub-topics-${randomUUID()}`, topics: used, deadlineMs: READ_DEADLINE_MS })
  return ends.map(({ topic, partition, high }) => {
    const record = first.get(`${topic}/${partition}`)
    const genesis = record !== undefined && record.offset === 0n && record.key?.toString() === 'genesis'
    return { topic, partition, state: high === 0n ? 'empty' : genesis ? 'genesis' : 'other' }
  })
}

/** Every partition that is not empty and does not begin with a genesis: nothing will use it. */
export function headless(heads: readonly Head[]): TopicProblem[] {
  return heads.filter(({ state }) => state === 'other').map(({ topic, partition }) =>
    ({ topic, zh: `分区 ${partition} 的开头不是 genesis 记录，不会被使用；请删除该主题后重新建立`, en: `partition ${partition} does not begin with its genesis record and is not used; delete the topic and apply again` }))
}

async function writeGenesis(options: ApplyTopicsOptions, topics: readonly Topic[], heads: readonly Head[]): Promise<ProduceBatch[]> {
  const empty = heads.filter(({ state }) => state === 'empty')
  if (empty.length === 0) return []
  const codec = await createCodec({ registryUrl: options.registryUrl, cacheDir: options.cacheDir, contracts: ALL_CONTRACTS, guard: createGuard, log: quietLog() })
  const { encode } = await codec.writer(GENESIS)
  const at = Date.now()
  const batches = empty.map(({ topic, partition }) => {
    const { region } = topics.find((one) => one.topic === topic)!
    const name = topic.slice(options.topicPrefix.length)
    const headers = {
      ce_id: randomUUID(), ce_source: `/region/${region}`, ce_type: GENESIS, ce_time: new Date(at).toISOString(), ce_specversion: '1.0', 'content-type': 'application/avro',
    }
    return { topic, partition, messages: [{ key: 'genesis', value: encode({ generation: randomUUID(), topic: name, partition, at }), headers }] }
  })
  await using producer = options.kafka.producer()
  await producer.send(batches)
  return batches
}
