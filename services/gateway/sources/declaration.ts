import { DATA_STREAMS, isDataStream, type DataStream } from '@hub/schemas/streams'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { allows } from '../callers.ts'

export const MODES = ['full', 'changes'] as const
export const VERSION_RULES = ['source-number', 'update-time', 'counter'] as const

/** A source system of this region: who answers for it, what it delivers and how often. */
export interface Declaration {
  /** What stands before the `/` of its record ids. */
  readonly id: string
  readonly owner: string
  /** Telephone of an office's duty line. */
  readonly contact: string
  readonly streams: readonly DataStream[]
  readonly caller: string
  readonly mode: (typeof MODES)[number]
  readonly cadenceSeconds: number
  readonly versionRule: (typeof VERSION_RULES)[number]
}

const FIELDS = ['id', 'owner', 'contact', 'streams', 'caller', 'mode', 'cadence', 'versionRule'] as const
const SOURCE_ID = /^[a-z0-9][a-z0-9._-]{0,39}$/
const CALLER_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$/
/** An office's name ends with what it is; a person's does not. */
const OFFICE = /^.{3,99}(局|处|科|室|中心|所|队|站|司|委|会|院|部|办|组|平台)$/u
/** A fixed line, or a five-digit service number such as 12315. Mobile numbers belong to a person. */
const DUTY_LINE = /^(0\d{2,3}-\d{7,8}(-\d{1,6})?|\d{5})$/
/** Months and years have no fixed length. */
const DURATION = /^P(?:(?<weeks>\d{1,3})W|(?:(?<days>\d{1,3})D)?(?:T(?:(?<hours>\d{1,4})H)?(?:(?<minutes>\d{1,5})M)?)?)$/
const LEAST_SECONDS = 60
const MOST_SECONDS = 400 * 86_400
const MOST_SOURCES = 200

/**
 * The sources of a region (`sources.yaml`), checked against its callers.
 * @param path null where the region declares none @throws Error with every problem of the file at once
 */
export async function readDeclarations(path: string | null, callersFile: string): Promise<Declaration[]> {
  return path === null ? [] : parseDeclarations(await readFile(path, 'utf8'), await readFile(callersFile, 'utf8'), path)
}

/** @param callersYaml what `parseCallers` of the runtime has found good @throws Error with every problem at once */
export function parseDeclarations(yaml: string, callersYaml: string, name: string): Declaration[] {
  const document = read(yaml, name)
  const entries = isRecord(document) && Array.isArray(document['sources']) ? document['sources'] as unknown[] : undefined
  if (entries === undefined) throw new Error(`${name}:\n  sources: a list is expected; [] declares none`)
  const problems: string[] = entries.length > MOST_SOURCES ? [`sources: at most ${MOST_SOURCES} are expected`] : []
  const callers = new Map((read(callersYaml, 'callers.yaml') as { callers: { id: string; roles?: string[]; sources?: string[] }[] }).callers.map((caller) => [caller.id, caller]))
  const ids = new Set<string>()
  const declarations = entries.map((entry, index): Declaration => {
    const fields = isRecord(entry) ? entry : {}
    const say = (field: string, what: string): void => void problems.push(`sources[${index}].${field}: ${what}`)
    const text = (field: string, good: RegExp, expected: string): string => {
      const value = fields[field]
      if (typeof value === 'string' && good.test(value)) return value
      say(field, `${expected} is expected`)
      return ''
    }
    const oneOf = <T extends string>(field: string, values: readonly T[]): T => {
      const value = fields[field] as T
      if (!values.includes(value)) say(field, `one of ${values.join(', ')} is expected`)
      return value
    }
    for (const field of Object.keys(fields)) if (!(FIELDS as readonly string[]).includes(field)) say(field, `this field is not known; there are ${FIELDS.join(', ')}`)
    const id = text('id', SOURCE_ID, 'what stands before the / of its record ids: lower-case letters, digits, . _ -, at most 40,')
    if (id !== '' && ids.has(id)) say('id', `${id} stands twice`)
    ids.add(id)
    const streams = Array.isArray(fields['streams']) ? fields['streams'] as unknown[] : []
    if (streams.length === 0 || new Set(streams).size !== streams.length || !streams.every((stream) => typeof stream === 'string' && isDataStream(stream))) {
      say('streams', `a list of one or more of ${DATA_STREAMS.join(', ')} is expected, each once`)
    }
    const caller = text('caller', CALLER_ID, 'the id of a caller of callers.yaml')
    const known = callers.get(caller)
    if (caller !== '' && known === undefined) say('caller', `${caller} is not in callers.yaml: hub caller add`)
    if (known !== undefined && !(known.roles ?? []).includes('publisher')) say('caller', `${caller} is not a publisher`)
    if (known !== undefined && id !== '' && !allows(known.sources ?? [], id)) say('caller', `${caller} may not publish for ${id}: add it to the caller's sources`)
    return {
      id,
      owner: text('owner', OFFICE, 'the name of an office (…局, …处, …中心), never of a person,'),
      contact: text('contact', DUTY_LINE, 'the duty line of the office, in quotes: a fixed line such as "0571-87654321" or a service number such as "12315", never a mobile number,'),
      streams: streams as DataStream[],
      caller,
      mode: oneOf('mode', MODES),
      cadenceSeconds: secondsOf(fields['cadence'], (what) => say('cadence', what)),
      versionRule: oneOf('versionRule', VERSION_RULES),
    }
  })
  if (problems.length > 0) throw new Error(`${name}:\n  ${problems.join('\n  ')}`)
  return declarations
}

function secondsOf(value: unknown, say: (what: string) => void): number {
  const { weeks, days, hours, minutes } = (typeof value === 'string' ? DURATION.exec(value)?.groups : undefined) ?? {}
  const seconds = Number(weeks ?? 0) * 604_800 + Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60
  if (!(seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS)) say('an ISO 8601 duration of a minute to 400 days in weeks, or in days, hours and minutes, is expected: P1D, PT6H')
  return seconds
}

function read(yaml: string, name: string): unknown {
  try {
    return parse(yaml)
  } catch (error) {
    // What follows the first line is a piece of the file.
    throw new Error(`${name}: ${String((error as Error).message).split('\n')[0]}`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
