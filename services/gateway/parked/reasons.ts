import type { ParkReason } from '@hub/schemas/park'

/** What a reason means, and what is to be done about it. */
export interface ReasonText {
  readonly zh: string
  readonly en: string
  readonly todo: { readonly zh: string; readonly en: string }
}

const MEND = ['来源地修正后以更高版本重新发布；无需其他地区处理。', 'The origin mends it and publishes a higher version; nobody else has to do anything.'] as const
const RELEASE = ['先升级落后的地区或补注册契约，再运行 hub parked redrive；否则由来源地重新发布。', 'Upgrade the region that is behind, or register the contract, then run hub parked redrive; else the origin publishes again.'] as const
const BYPASS = ['查出是谁绕过网关直接写入该主题：网关不会产生这样的事件。来源地再经网关发布该记录。', 'Find out who wrote to the topic past the gateway, which makes no such event; then the origin publishes the record through it.'] as const

type Text = readonly [zh: string, en: string, todo: readonly [zh: string, en: string]]

/** In the order in which an event is looked at. */
const TEXTS: Readonly<Record<ParkReason, Text>> = {
  'no-value': ['事件没有内容', 'the event has no value', BYPASS],
  'no-key': ['事件没有键', 'the event has no key', BYPASS],
  'no-sequence': ['事件没有发布序号', 'the event has no sequence of a relay', BYPASS],
  'not-avro-framed': ['内容不是带模式编号的 Avro', 'the value is not Avro with a schema id', BYPASS],
  'unknown-schema': ['注册中心没有此模式编号', 'the registry does not know the schema id', RELEASE],
  'unknown-contract': ['本版软件没有此契约', 'this release does not know the contract', RELEASE],
  bounds: ['内容的长度或数量与契约不符，或超出上限', 'lengths or counts of the value do not fit the contract, or are beyond the bounds', RELEASE],
  undecodable: ['内容无法按契约解码', 'the value cannot be decoded by the contract', RELEASE],
  'foreign-contract': ['此契约不属于该主题，或类型与结束状态不符', 'the contract does not belong on the topic, or the kind does not fit it', MEND],
  'unexpected-control': ['控制记录出现在不该出现的位置', 'a control record where none belongs', BYPASS],
  'wrong-key': ['键与记录编号不同', 'the key is not the record id', BYPASS],
  'wrong-region': ['内容中的地区不是该主题的地区', 'the region in the value is not that of the topic', BYPASS],
  'wrong-partition': ['分区与键不符', 'the partition is not the one of the key', BYPASS],
  'bad-version': ['版本号小于 1', 'the version is below 1', MEND],
  'unknown-kind': ['本版软件不认识此类型', 'this release does not know the kind', RELEASE],
  unstorable: ['含有数据库不能保存的字符或数值', 'a text, number or time that the database does not take', MEND],
}
const UNKNOWN: Text = ['由另一版软件搁置，本版不认识此原因', 'parked by another release, for a reason that this one does not know', RELEASE]

export const PARK_REASONS: readonly string[] = Object.keys(TEXTS)

export function reasonText(reason: string): ReasonText {
  const [zh, en, todo] = (Object.hasOwn(TEXTS, reason) ? TEXTS[reason as ParkReason] : UNKNOWN)
  return { zh, en, todo: { zh: todo[0], en: todo[1] } }
}
