import type { ReadEvent, RuleText } from '@hub/schemas/read-event'
import { parseInstant } from '@hub/schemas/read-time'
import type { IncomingHttpHeaders } from 'node:http'

export const CLOUDEVENT = 'application/cloudevents+json'
export const CLOUDEVENTS = 'application/cloudevents-batch+json'

/** Why an event that came as a CloudEvent is refused for its envelope. */
export const CLOUDEVENT_RULES = {
  'ce-attribute': ['CloudEvents 属性缺失或形式不符', 'is a CloudEvents attribute that is missing or not of the right form', '按 CloudEvents 1.0 给出 specversion、id、source、type', 'give specversion, id, source and type as CloudEvents 1.0 has them'],
  'ce-content-type': ['数据不是 JSON', 'says that the data are not JSON', '以 application/json 给出事件', 'send the event as application/json'],
  'ce-data': ['没有 JSON 数据', 'holds no JSON data', '把事件放入 data，不要用 data_base64', 'put the event into data, not into data_base64'],
  'ce-id': ['与数据中的 eventId 不一致', 'does not agree with eventId in the data', '在数据中省略 eventId', 'leave eventId out of the data'],
  'ce-source': ['与记录的来源系统不一致', 'does not agree with the source system of the record', '最后一段写来源系统（recordId 中“/”之前的部分）', 'end it with the source system: what stands before the slash of recordId'],
  'ce-type': ['不是此事件的契约', 'is not the contract of this event', '写契约全名', 'give the full name of the contract'],
  'ce-subject': ['与数据中的信用代码不一致', 'does not agree with the credit code in the data', '省略 subject，或写数据中的信用代码', 'leave subject out, or give the credit code of the data'],
  'ce-time': ['与数据中的 recordedAt 不一致', 'does not agree with recordedAt in the data', '在数据中省略 recordedAt，或二者一致', 'leave recordedAt out of the data, or say the same'],
} as const satisfies Record<string, RuleText>

export interface Fault {
  readonly field: string
  readonly rule: keyof typeof CLOUDEVENT_RULES
  readonly expected: string
}

/** What an envelope says of the event within it. */
export interface Enveloped {
  readonly data: unknown
  /** The distributed tracing extension as it was sent; null = none. */
  readonly traceparent: unknown
  readonly faults: readonly Fault[]
  /** What the envelope says otherwise than the event, once that could be read. */
  contradictions(event: ReadEvent): Fault[]
}

/** Parsed JSON to the event in it. */
export type Envelope = (value: unknown) => Enveloped

const REQUIRED = ['id', 'source', 'type'] as const
const OPTIONAL = ['time', 'subject'] as const
const MAX_ATTRIBUTE = 1_024
const JSON_TYPE = /^application\/(?:json|[a-z0-9.-]+\+json)\s*(?:;|$)/i

/** Structured mode: the envelope is the JSON itself. Extensions but `traceparent` are left aside, as is `dataschema`. */
export const structured: Envelope = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return enveloped({}, undefined, [{ field: '', rule: 'ce-data', expected: 'object' }])
  const { data, ...attributes } = value as Record<string, unknown>
  const faults: Fault[] = []
  const { datacontenttype } = attributes
  if (datacontenttype !== undefined && datacontenttype !== null && !(typeof datacontenttype === 'string' && JSON_TYPE.test(datacontenttype))) {
    faults.push({ field: 'ce-datacontenttype', rule: 'ce-content-type', expected: 'application/json' })
  }
  if (data === undefined || data === null) faults.push({ field: 'ce-data', rule: 'ce-data', expected: 'data' })
  return enveloped(attributes, data, faults)
}

/** Binary mode: attributes are headers (`ce-id` …), the body is the event. `undefined` where there are none. */
export function binary(headers: IncomingHttpHeaders): Envelope | undefined {
  if (headers['ce-specversion'] === undefined && headers['ce-id'] === undefined && headers['ce-type'] === undefined) return undefined
  const attributes: Record<string, unknown> = {}
  for (const name of ['specversion', ...REQUIRED, ...OPTIONAL, 'traceparent']) attributes[name] = decoded(headers[`ce-${name}`])
  attributes['traceparent'] ??= headers['traceparent']
  return (data) => enveloped(attributes, data, [])
}

function enveloped(attributes: Record<string, unknown>, input: unknown, given: Fault[]): Enveloped {
  const faults = [...given]
  const refuse = (name: string, expected: string): void => void faults.push({ field: `ce-${name}`, rule: 'ce-attribute', expected })
  if (attributes['specversion'] !== '1.0') refuse('specversion', '1.0')
  for (const name of REQUIRED) if (!isAttribute(attributes[name])) refuse(name, `1..${MAX_ATTRIBUTE} characters`)
  for (const name of OPTIONAL) if (attributes[name] !== undefined && attributes[name] !== null && !isAttribute(attributes[name])) refuse(name, `1..${MAX_ATTRIBUTE} characters`)
  const { id, source, type, subject, time } = attributes
  const at = typeof time === 'string' ? parseInstant(time) : undefined
  if (typeof time === 'string' && at === undefined) refuse('time', 'RFC 3339: 2026-03-15T09:30:00+08:00')

  const data = withTime(input, at === undefined ? undefined : time)
  if (isObject(input)) {
    const { eventId, recordedAt } = input
    if (typeof eventId === 'string' && eventId !== id) faults.push({ field: 'ce-id', rule: 'ce-id', expected: 'eventId' })
    if (typeof recordedAt === 'string' && at !== undefined && parseInstant(recordedAt) !== at) faults.push({ field: 'ce-time', rule: 'ce-time', expected: 'recordedAt' })
  }
  return {
    data, faults, traceparent: attributes['traceparent'] ?? null,
    contradictions(event) {
      const found: Fault[] = []
      if (type !== event.contract.fullName) found.push({ field: 'ce-type', rule: 'ce-type', expected: event.contract.fullName })
      const named = lastSegment(source)
      if (named !== event.source && named !== event.record['region']) found.push({ field: 'ce-source', rule: 'ce-source', expected: event.source })
      if (typeof subject === 'string' && subject.toUpperCase() !== event.subject) found.push({ field: 'ce-subject', rule: 'ce-subject', expected: event.subject === null ? 'null' : 'uscc' })
      return found
    },
  }
}

/** The time of the envelope is when the source recorded the event, where the event does not say so itself. */
function withTime(data: unknown, time: unknown): unknown {
  return isObject(data) && time !== undefined && (data['recordedAt'] === undefined || data['recordedAt'] === null) ? { ...data, recordedAt: time } : data
}

/** `12315-zj` of `https://12315.example/12315-zj` and of `12315-zj`. */
function lastSegment(source: unknown): string | undefined {
  return typeof source === 'string' ? source.split(/[?#]/)[0]!.split('/').findLast((part) => part !== '') : undefined
}

function isAttribute(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ATTRIBUTE
}

/** Header values are percent-encoded where they hold more than printable ASCII; one that is not so encoded is no value. */
function decoded(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
