import type { LogPlace, ParkedDetail, ParkedEntry, ParkedOfOrigin, Redrive, RedriveWish } from '@hub/client'
import type { Region } from '@hub/schemas/streams'
import type { Command } from 'commander'
import { setTimeout as pause } from 'node:timers/promises'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { clientOf, regionsWith, toRegion, type Settings } from '../settings.ts'

const LOOK_MS = 300
/** How long a request may be left alone while nobody applies. */
const NOBODY_MS = 15_000
const DEADLINE_MS = 60 * 60_000

/** `hub parked`: events that replicas could not read and set aside. */
export function addParked(program: Command, cli: Cli): void {
  const parked = program.command('parked').description(both('被搁置的事件', 'events that were set aside'))
  const command = (name: string, zh: string, en: string): Command => cli.command(parked, name, zh, en)
    .option('--region <region>', '哪个地区的副本；不写则为已知的各地 · replica of this region; else of all that are known')

  command('list', '列出各地副本搁置的事件', 'list what the replicas set aside')
    .option('--topic <topic>', '只看一个主题 · one topic alone')
    .option('--reason <reason>', '只看一种原因 · one reason alone')
    .option('--all', '连同已被好的版本取代的 · those too that a good version has superseded')
    .option('--origin', '改为列出本地区发布、被任一地区搁置的事件 · instead: what the region itself published and any region parked')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const open = options['all'] === true ? undefined : true
      const each = <T>(read: (region: Region) => AsyncIterable<T>): Promise<{ region: Region, parked: T[] }[]> =>
        Promise.all(regionsOf(settings(), options).map(async (region) => ({ region, parked: await Array.fromAsync(read(region)) })))
      if (options['origin'] === true) {
        const found = await each((region) => clientOf(settings(), region, 'operator').parkedOfOrigin({ open }))
        out.result(found, () => describeOrigin(found))
      } else {
        const found = await each((region) => clientOf(settings(), region, 'operator').parked({ open, topic: options['topic'] as string | undefined, reason: options['reason'] as string | undefined }))
        out.result(found, () => describeList(found))
      }
    }))

  command('show', '一个被搁置事件的全部已知情况；内容留在日志中，不显示', 'all that is known of one; its bytes stay on the log and are not shown')
    .argument('<topic>', '主题，如 zj.complaint · topic').argument('<partition>', '分区 · partition').argument('<offset>', '偏移 · offset')
    .action(cli.action(async ({ settings, out }, [topic, partition, offset], options) => {
      const place = placeOf(topic!, partition, offset)
      const found = await Promise.all(regionsOf(settings(), options).map(async (replica) => ({ replica, ...(await clientOf(settings(), replica, 'operator').parkedEvent(place)) })))
      out.result(found, () => found.map(describeOne).join('\n\n'))
    }))

  command('redrive', '软件修正后，按当前版本在原位置重新处理；写入审计', 'after a software fix: read them again with the release that runs, at their own place; audited')
    .argument('[topic]', '主题；不写则须有 --reason · topic; without it --reason is needed').argument('[partition]', '分区 · partition').argument('[offset]', '偏移；不写则为全部 · offset; without it all of them')
    .requiredOption('--why <reason>', '为何重新处理，写入审计 · why; stands in the audit')
    .option('--reason <reason>', '只处理此原因的 · those alone that were parked for this')
    .action(cli.action(async ({ settings, out }, [topic, partition, offset], options) => {
      const reason = options['reason'] as string | undefined
      if (topic === undefined && reason === undefined) throw new CliFailure(EXIT.validation, '请指定主题，或用 --reason 指定搁置原因。', 'Name a topic, or a reason with --reason.')
      const wish: RedriveWish = {
        ...(topic !== undefined && { topic }), ...(partition !== undefined && { partition: placeOf(topic!, partition, offset ?? '0').partition }), ...(offset !== undefined && { offset: placeOf(topic!, partition, offset).offset }),
        ...(reason !== undefined && { reason }), why: options['why'] as string,
      }
      const done = await Promise.all(regionsOf(settings(), options).map(async (region) => ({ region, ...(await redrive(settings(), region, wish)) })))
      out.result(done, () => describeRedrives(done))
      return done.some(({ outcome }) => outcome!.parked + outcome!.gone > 0) ? EXIT.runtime : EXIT.ok
    }))
}

function regionsOf(settings: Settings, options: Record<string, unknown>): Region[] {
  return options['region'] === undefined ? regionsWith(settings, 'gateway').map(({ region }) => region) : [toRegion(options['region'] as string)]
}

function placeOf(topic: string, partition: string | undefined, offset: string | undefined): LogPlace {
  if (!/^\d{1,4}$/.test(partition ?? '') || !/^\d{1,18}$/.test(offset ?? '')) throw new CliFailure(EXIT.validation, '分区和偏移应为从 0 起的整数。', 'Partition and offset are whole numbers from 0.')
  return { topic, partition: Number(partition), offset: offset! }
}

/** Asks, and waits for what comes of it. @throws CliFailure where nobody applies */
async function redrive(settings: Settings, region: Region, wish: RedriveWish): Promise<Redrive> {
  const client = clientOf(settings, region, 'operator')
  let state = await client.askRedrive(wish)
  const began = performance.now()
  let appliedAt = began
  while (state.state === 'waiting') {
    if (state.applying) appliedAt = performance.now()
    if (performance.now() - appliedAt > NOBODY_MS || performance.now() - began > DEADLINE_MS) {
      throw new CliFailure(EXIT.environment, `${region} 的 replicator 没有在运行；请求 ${state.id} 已登记，启动后即处理。`, `No replicator of ${region} is running; the request ${state.id} is noted and taken up once one does.`)
    }
    await pause(LOOK_MS)
    state = await client.redrive(state.id)
  }
  return state
}

const place = ({ topic, partition, offset }: LogPlace): string => `${topic}/${partition}/${offset}`

function describeList(found: readonly { region: Region, parked: readonly ParkedEntry[] }[]): string {
  const rows = found.flatMap(({ region, parked }) => parked.map((one) => [region, place(one), one.key, `${one.reason} ${both(one.zh, one.en)}`, one.at, one.buriedBy]))
  return rows.length === 0 ? both('没有被搁置的事件', 'nothing is parked') : table(['副本 replica', '位置 place', '键 key', '原因 why', '自 since', '后续 followed by'], rows)
}

function describeOrigin(found: readonly { region: Region, parked: readonly ParkedOfOrigin[] }[]): string {
  const rows = found.flatMap(({ parked }) => parked.map((one) => [place(one), one.key, one.regions.map(({ region }) => region).join(' '), `${one.reason} ${both(one.zh, one.en)}`, one.at, one.contact === null ? null : `${one.contact.owner} ${one.contact.dutyLine}`]))
  return rows.length === 0 ? both('没有被搁置的事件', 'nothing is parked') : table(['位置 place', '记录 record', '搁置地区 parked in', '原因 why', '自 since', '联系 whom to call'], rows)
}

const STATES = { open: '仍搁置', buried: '同键已有后续事件，但没有好的版本', superseded: '已被好的版本取代', redriven: '已重新处理' } as const

function describeOne({ replica, ...one }: ParkedDetail & { replica: Region }): string {
  const { reason, zh, en, todo, state, at, key, hash, buriedBy, supersededBy, contact, redriven } = one
  return [
    `${replica}  ${place(one)}  ${STATES[state]} ${state}`,
    `  ${both('键', 'key')}: ${key}`,
    `  ${both('原因', 'why')}: ${reason} ${both(zh, en)}`,
    `  ${both('自', 'since')}: ${at}    hash ${hash}`,
    ...(buriedBy === null ? [] : [`  ${both('同键后续事件', 'followed by offset')}: ${buriedBy}`]),
    ...(supersededBy === null ? [] : [`  ${both('已被取代', 'superseded by version')}: ${supersededBy.version} (${supersededBy.offset})`]),
    ...(redriven === null ? [] : [`  ${both('重新处理', 'redriven')}: ${redriven.at} ${redriven.class} ${redriven.who}: ${redriven.why}`]),
    ...(state === 'open' || state === 'buried' ? [`  ${both('处理', 'what to do')}: ${both(todo.zh, todo.en)}`] : []),
    ...(contact === null ? [] : [`  ${both('联系', 'whom to call')}: ${contact.owner} ${contact.dutyLine}`]),
  ].join('\n')
}

const RESULTS = { redriven: '已处理 redriven', parked: '仍无法读取，继续搁置 still bad', gone: '日志已压缩，请来源地重新发布 not on the log any more: the origin publishes again' } as const

function describeRedrives(done: readonly (Redrive & { region: Region })[]): string {
  const rows = done.flatMap(({ region, outcome }) => outcome!.events.map((one) => [region, place(one), RESULTS[one.result], one.class ?? one.reason]))
  return [
    ...done.map(({ region, outcome }) => `${region}  ${both('已处理', 'redriven')} ${Object.values(outcome!.redriven).reduce((sum, n) => sum + n, 0)}  ${both('仍搁置', 'still parked')} ${outcome!.parked}  ${both('日志中已无', 'gone')} ${outcome!.gone}`),
    ...(rows.length === 0 ? [] : [table(['副本 replica', '位置 place', '结果 result', '类别或原因 class or reason'], rows)]),
  ].join('\n')
}
