import { connect } from 'node:net'
import type { TopicCopies } from '@hub/runtime/kafka'
import { allTopics, REGIONS } from '@hub/schemas/streams'
import { missingAcls } from '../acls.ts'
import { kafkaOf, principalsOf, type Settings } from '../settings.ts'
import { differences, headless, readDeclaration, readHeads, type TopicProblem } from '../topics.ts'
import { messageOf, type Check, type Finding } from './check.ts'

const CONNECT_MS = 3000
const SHOWN = 3

/** Reachable, logins, topics, genesis records, copies, rights. */
export function brokerChecks(settings: Settings): Check[] {
  if (settings.kafka === undefined) return []
  return [
    { name: 'broker', run: () => checkBroker(settings, settings.kafka!.brokers) },
    ...REGIONS.filter((region) => settings.regions[region]?.kafka).map((region): Check =>
      ({ name: `broker login ${region}`, run: async () => (await answering(settings.kafka!.brokers) === undefined ? [await checkLogin(`broker login ${region}`, () => kafkaOf(settings, region).admin())] : []) })),
  ]
}

async function checkBroker(settings: Settings, brokers: readonly string[]): Promise<Finding[]> {
  const name = 'broker'
  const silent = await answering(brokers)
  if (silent !== undefined) {
    return [
      { name, state: 'missing', zh: `${brokers.join('、')} 无应答（${silent}）。请启动消息服务器；发布仍可进行，到达会延后`, en: `${brokers.join(', ')} does not answer (${silent}). Start the broker; publishing goes on meanwhile, arrival waits` },
      ...['topics', 'genesis', 'copies', 'rights'].map((part): Finding => ({ name: part, state: 'skipped', zh: '消息服务器无应答，未检查', en: 'not checked: no broker' })),
    ]
  }
  const kafka = kafkaOf(settings)
  const login = await checkLogin(name, () => kafka.admin())
  if (login.state !== 'ok') return [login]
  await using admin = await kafka.admin()
  const topics = allTopics(settings.topicPrefix)
  const wrong = await differences(admin, topics, (await readDeclaration()).settings)
  const present = new Set((await admin.topics()).map(({ topic }) => topic))
  const heads = await readHeads(kafka, admin, topics.filter(({ topic }) => present.has(topic)))
  const { brokers: alive } = await admin.describeCluster()
  const unwritten = heads.filter(({ state }) => state === 'empty').map(({ topic, partition }) =>
    ({ topic, zh: `分区 ${partition} 没有 genesis 记录，请运行 hub topics apply`, en: `partition ${partition} has no genesis record: run "hub topics apply"` }))
  return [
    { ...login, zh: `${brokers.join('、')} 应答`, en: 'answers' },
    finding('topics', wrong, `${topics.length} 个主题齐全`, `all ${topics.length} topics as declared`),
    finding('genesis', [...unwritten, ...headless(heads)], `${heads.length} 个分区均有`, `in all ${heads.length} partitions`),
    copiesFinding(alive.length, await admin.copies(topics.filter(({ topic }) => present.has(topic)).map(({ topic }) => topic))),
    await checkRights(settings, admin),
  ]
}

/** Whether what is acknowledged survives the loss of a broker. One broker alone is a trial and said to be one. */
export function copiesFinding(brokers: number, topics: readonly TopicCopies[]): Finding {
  const name = 'copies'
  const most = Math.max(1, ...topics.map(({ replicas }) => replicas))
  if (brokers === 1 && most === 1) return { name, state: 'ok', zh: '只有一台消息服务器：日志仅此一份，只供试用', en: 'one broker: its disk has the only copy of the logs, which is for trials alone' }
  const problems = topics.flatMap(({ topic, replicas, inSync, least }): TopicProblem[] => {
    if (replicas < 3) return [{ topic, zh: `只有 ${replicas} 份，应为 3 份（default.replication.factor=3 后重新分配）`, en: `${replicas} copies instead of 3: reassign its partitions, and set default.replication.factor=3` }]
    if (least < 2) return [{ topic, zh: `写入 ${least} 份即确认，应为 2 份（min.insync.replicas=2），否则一台故障可能丢失已确认的事件`, en: `acknowledged by ${least} broker: with min.insync.replicas=2 no broker's loss takes an acknowledged event along` }]
    return inSync < replicas ? [{ topic, zh: `${replicas} 份中 ${inSync} 份同步，请检查消息服务器`, en: `${inSync} of ${replicas} copies have everything: look at the brokers` }] : []
  })
  return { ...finding(name, problems, `各主题 ${most} 份，写入 2 份后确认`, `${most} of every topic, two before an acknowledgement`), ...(problems.length > 0 && { state: 'wrong' as const }) }
}

async function checkLogin(name: string, open: () => Promise<AsyncDisposable>): Promise<Finding> {
  try {
    await using _admin = await open()
    return { name, state: 'ok', zh: '登录成功', en: 'logged in' }
  } catch (error) {
    const message = messageOf(error)
    const refused = /SASL|authenticat/i.test(message)
    return { name, state: 'missing', zh: refused ? `登录被拒，请检查用户名和密码：${message}` : `无法连接：${message}`, en: refused ? 'the login is refused: check user and password' : 'cannot connect' }
  }
}

async function checkRights(settings: Settings, admin: Parameters<typeof missingAcls>[0]): Promise<Finding> {
  const name = 'rights'
  try {
    const { missing, enforced } = await missingAcls(admin, allTopics(settings.topicPrefix), settings.topicPrefix, principalsOf(settings))
    if (!enforced) return { name, state: 'wrong', zh: '集群未启用权限检查，任何人都能写任何主题', en: 'the cluster checks no rights: anybody may write any topic' }
    const problems = missing.map(({ principal, resource, name: of, operations }) => ({ topic: `${principal} ${of}`, zh: `缺少 ${operations.join('、')} ${resource}`, en: `lacks ${operations.join(', ')}` }))
    return finding(name, problems, '各地区的权限齐全', 'every region has its own', 'hub topics apply')
  } catch (error) {
    return { name, state: 'skipped', zh: `当前用户无权查看：${messageOf(error)}`, en: 'this user may not look at them' }
  }
}

function finding(name: string, problems: readonly TopicProblem[], zh: string, en: string, remedy?: string): Finding {
  if (problems.length === 0) return { name, state: 'ok', zh, en }
  const rest = problems.length > SHOWN ? { zh: `……共 ${problems.length} 处`, en: `… ${problems.length} in all` } : { zh: '', en: '' }
  const shown = problems.slice(0, SHOWN)
  return {
    name, state: 'missing',
    zh: `${shown.map((one) => `${one.topic} ${one.zh}`).join('；')}${rest.zh}${remedy ? `。请运行 ${remedy}` : ''}`,
    en: `${shown.map((one) => `${one.topic}: ${one.en}`).join('; ')}${rest.en}${remedy ? `. Run "${remedy}"` : ''}`,
  }
}

/** Why none of the brokers takes a connection; undefined as soon as one does. Asked before kafkajs, which tries for a long time. */
async function answering(brokers: readonly string[]): Promise<string | undefined> {
  const reasons = await Promise.all(brokers.map(refusal))
  return reasons.includes(undefined) ? undefined : reasons.join(', ')
}

function refusal(broker: string): Promise<string | undefined> {
  const colon = broker.lastIndexOf(':')
  return new Promise((resolve) => {
    const socket = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)), timeout: CONNECT_MS })
    const end = (reason: string | undefined): void => {
      socket.destroy()
      resolve(reason)
    }
    socket.once('connect', () => end(undefined)).once('timeout', () => end(`${CONNECT_MS / 1000} s`)).once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}
