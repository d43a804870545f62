import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { urlOf, type LocalPorts } from './addresses.ts'
import type { RegionFiles } from './local-files.ts'
import { REPO_ROOT } from './paths.ts'
import { REGION_USERS, type RegionUser } from './region-users.ts'
import type { Stack } from './stack.ts'

const STREAM = 'complaint'
/** A firm of the sample's lists. */
const LISTED_IN_JS = '91320000MAX25J040Q'

/**
 * What `npm start` says once it is up: the addresses, and commands to try as they stand. The event that the first one publishes is put
 * beside the data: the sample of its contract under a record id of its own.
 */
export function describeAddresses(stack: Stack, regions: Record<RegionUser, RegionFiles>, ports: LocalPorts['regions']): string {
  const event = writeEvent(stack.supervisor.dataDir)
  const bearer = (region: RegionUser, role: 'publisher' | 'reader' | 'operator'): string => `-H 'authorization: Bearer ${regions[region].keys[role]}'`
  return [
    '',
    ...REGION_USERS.map((region) => `${region}  网关 gateway ${urlOf(ports[region].gateway)}  ·  信用查询 credit lookup ${urlOf(ports[region].lookup)}  ·  联合公示 announcer ${urlOf(ports[region].announcer)}  （接口说明 /openapi.json）`),
    `Kafka ${stack.kafka.brokers}  ·  模式注册中心 registry ${stack.registryUrl}`,
    `密钥和口令 keys and passwords: ${shown(join(stack.supervisor.dataDir, 'local.json'))}`,
    '',
    '在浙江发布一条投诉 · publish a complaint in zj:',
    `  curl -s ${bearer('zj', 'publisher')} -H 'content-type: application/json' -d @${shown(event.file)} ${urlOf(ports.zj.gateway)}/v1/streams/${STREAM}/events`,
    '在上海读取它 · read it in sh:',
    `  curl -s ${bearer('sh', 'reader')} '${urlOf(ports.sh.gateway)}/v1/streams/${STREAM}/records?recordId=${encodeURIComponent(event.recordId)}'`,
    '它的回执（编号在第一条命令的回答中） · its receipt (the id is in the answer to the first command):',
    `  curl -s ${bearer('zj', 'publisher')} ${urlOf(ports.zj.gateway)}/v1/receipts/<eventId>`,
    '在安徽查询一家在江苏列入的企业 · ask in ah about a firm that js has listed:',
    `  curl -s ${bearer('ah', 'reader')} ${urlOf(ports.ah.lookup)}/v1/credit/${LISTED_IN_JS}`,
    '',
    '网页 · pages:',
    `  提交、导入与来源 events, imports, sources  ${urlOf(ports.zj.gateway)}/   密钥 key  ${regions.zj.keys.publisher}`,
    `  四地一致性 are the four the same  ${urlOf(ports.sh.gateway)}/convergence   密钥 key  ${regions.sh.keys.operator}`,
    `  公示办理 announcements, the officers' desk  ${urlOf(ports.sh.announcer)}/desk   密钥 key  ${regions.sh.keys.officer}`,
    `  信用查询（公众，无需密钥） the public's credit lookup, without a key  ${urlOf(ports.ah.lookup)}/credit`,
    `  联合公示（公众，无需密钥） published announcements, without a key  ${urlOf(ports.sh.announcer)}/announcements`,
    '',
    '各地副本落后多少 · how far each replica is behind:  npm run hub -- lag',
    '哪里不对 · what is wrong:  npm run hub -- doctor        停止 · stop:  Ctrl-C',
    '',
  ].join('\n')
}

function writeEvent(dataDir: string): { file: string, recordId: string } {
  const recordId = 'zj-12315/try-1'
  const file = join(dataDir, 'try-event.json')
  const { eventId: _, ...event } = JSON.parse(readFileSync(join(REPO_ROOT, 'schemas/samples/Complaint.json'), 'utf8')) as Record<string, unknown>
  writeFileSync(file, `${JSON.stringify({ ...event, recordId }, null, 2)}\n`)
  return { file, recordId }
}

function shown(file: string): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}
