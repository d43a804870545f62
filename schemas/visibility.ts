import { shapeOf, type Visibility } from './avro-schema.ts'
import type { Contract } from './contracts.ts'
import { shanghaiDay } from './read-time.ts'
import { jsonWriter } from './record-json.ts'
import { isDataStream, type DataStream, type Region } from './streams.ts'

/** Who looks: anyone, a bureau of a region (with `operator` when the same caller is the hub's operator too), or the hub's operator. */
export type Viewer =
  | { readonly kind: 'public' }
  | { readonly kind: 'bureau'; readonly region: Region; readonly operator?: boolean }
  | { readonly kind: 'operator' }

/**
 * What a viewer may be shown of a record: its JSON form cut to the fields that this viewer may see (a field left out is absent, a field
 * without a value is null), its key alone, or nothing.
 */
export type Shown =
  | { readonly show: 'record'; readonly json: Record<string, unknown> }
  | { readonly show: 'key'; readonly json: { readonly region: string; readonly recordId: string; readonly version: number } }
  | { readonly show: 'nothing' }

/** What of a row somebody sees: nothing, its key, or its fields up to a visibility. */
export type Grant = 'nothing' | 'key' | Visibility

/** Grants from the least to the most; each includes those before it. */
export const GRANTS = ['nothing', 'key', 'public', 'bureaus', 'involved', 'origin'] as const satisfies readonly Grant[]

/** What everybody outside the origin sees of a row. `involved` is a bureau of a region of its parties. */
export interface RowRule {
  readonly public: Grant
  readonly bureau: Grant
  readonly involved: Grant
  readonly operator: Grant
}

/** Besides the publication states: an ended record's stub, a row that a date in it suppresses (listings), and a row of a stream without publication. */
export type RowState = string

const ALL: RowRule = { public: 'public', bureau: 'bureaus', involved: 'bureaus', operator: 'bureaus' }
const BUREAUS: RowRule = { ...ALL, public: 'nothing' }
const NOBODY: RowRule = { public: 'nothing', bureau: 'nothing', involved: 'nothing', operator: 'nothing' }
const KEY: RowRule = { ...NOBODY, operator: 'key' }
const INVOLVED: RowRule = { public: 'nothing', bureau: 'nothing', involved: 'involved', operator: 'involved' }

/**
 * The rows of the visibility table (domain reference 7.9, design 6) by stream and state. The origin sees all of what it published in every
 * state. A state that is not here is shown to nobody else.
 */
export const ROW_RULES: Readonly<Record<DataStream, Readonly<Record<RowState, RowRule>>>> = {
  complaint: {
    'not-publishable': BUREAUS, pending: BUREAUS, published: ALL, withdrawn: BUREAUS, expired: BUREAUS,
    // The stub carries what the statistics count, and no trader.
    ended: { ...BUREAUS, operator: 'key' },
  },
  'credit-blacklist': {
    'not-publishable': NOBODY, pending: NOBODY, published: ALL, withdrawn: KEY, expired: KEY, suppressed: KEY, ended: KEY,
  },
  'inspection-failure': {
    'not-publishable': INVOLVED, pending: INVOLVED, published: { ...ALL, involved: 'involved', operator: 'involved' }, withdrawn: INVOLVED, expired: INVOLVED,
    ended: KEY,
  },
  recall: { 'not-publishable': BUREAUS, pending: BUREAUS, published: ALL, withdrawn: BUREAUS, expired: BUREAUS, ended: KEY },
  tally: { internal: BUREAUS, ended: KEY },
}

type Values = Readonly<Record<string, unknown>>

/**
 * What `viewer` may be shown of a record; every answer, feed, export and page goes through here.
 * @param record in its Avro form, of `contract`, which is one of a data stream
 * @param today days since 1970-01-01 in Asia/Shanghai: listings past their term, shielded ones and the like are suppressed by it
 */
export function show(contract: Contract, record: object, viewer: Viewer, today: number = todayInShanghai()): Shown {
  return showAs(contract, record, grantFor(contract, record as Values, viewer, today))
}

/** The same for a decision that was made before. */
export function showAs(contract: Contract, record: object, grant: Grant): Shown {
  if (grant === 'nothing') return NOTHING
  if (grant !== 'key') return { show: 'record', json: writerOf(contract, grant)(record) }
  const { region, recordId, version } = record as { region: string; recordId: string; version: number }
  return { show: 'key', json: { region, recordId, version } }
}

/** What two decisions about one record both allow: an earlier version is shown to those alone who may also see what has become of it. */
export function leastOf(one: Grant, other: Grant): Grant {
  return GRANTS.indexOf(one) < GRANTS.indexOf(other) ? one : other
}

/** The decision of `show` without the record's JSON. */
export function grantFor(contract: Contract, record: Values, viewer: Viewer, today: number): Grant {
  if (viewer.kind === 'bureau' && viewer.region === record['region']) return 'origin'
  const rule = ROW_RULES[contract.stream as DataStream]?.[stateOf(contract, record, today)] ?? NOBODY
  if (viewer.kind === 'public') return rule.public
  if (viewer.kind === 'operator') return rule.operator
  const asBureau = isInvolved(record, viewer.region) ? rule.involved : rule.bureau
  return viewer.operator === true && GRANTS.indexOf(rule.operator) > GRANTS.indexOf(asBureau) ? rule.operator : asBureau
}

/** The state of a row that its rule goes by; "published" only where nothing else in the record speaks against it. `today`: see `show`. */
export function stateOf(contract: Contract, record: Values, today: number): RowState {
  if (contract.role === 'stub') return 'ended'
  const publication = record['publication'] as RowState | undefined
  if (publication === undefined) return 'internal'
  if (publication !== 'published') return publication
  if (record['kind'] === 'withdrawal') return 'withdrawn'
  switch (contract.stream) {
    case 'credit-blacklist': return isSuppressed(record, today) ? 'suppressed' : publication
    case 'inspection-failure': return record['outcome'] === 'overturned' ? 'withdrawn' : publication
    case 'recall': return record['state'] === 'suspected' ? 'pending' : publication
    default: return publication
  }
}

/** Whether a region is one of those of the record's parties (an inspection failure's), in a role when one is given. */
export function isInvolved(record: Values, region: Region, role?: string): boolean {
  const parties = record['parties'] as readonly { readonly region?: string | null; readonly role: string }[] | undefined
  return parties?.some((party) => party.region === region && (role === undefined || party.role === role)) ?? false
}

/** What an inspection failure is to a region: it has to act where it was found and where a party is, the others take note. Undefined for other records. */
export function reachOf(contract: Contract, record: Values, region: Region): 'action' | 'attention' | undefined {
  if (contract.stream !== 'inspection-failure' || contract.role !== 'record') return undefined
  return record['region'] === region || isInvolved(record, region) ? 'action' : 'attention'
}

/** The current day in Asia/Shanghai, as days since 1970-01-01. */
export function todayInShanghai(now: number = Date.now()): number {
  return shanghaiDay(now)
}

/** A listing or penalty that a date in it has ended or suspended: readers do not wait for the origin's next event (design 6). */
function isSuppressed(record: Values, today: number): boolean {
  const until = record['until'] as number | null | undefined
  const penalty = record['penalty'] as { readonly publicUntil?: number | null } | null | undefined
  const removal = record['removal'] as { readonly date: number } | null | undefined
  const shield = record['shield'] as { readonly from: number; readonly until?: number | null } | null | undefined
  return isBefore(until, today) || isBefore(penalty?.publicUntil, today) || (removal != null && removal.date <= today)
    || (shield != null && shield.from <= today && !isBefore(shield.until, today))
}

function isBefore(day: number | null | undefined, today: number): boolean {
  return day != null && day < today
}

const NOTHING: Shown = { show: 'nothing' }

type Writer = ReturnType<typeof jsonWriter>
const writers = new Map<Contract, Map<Visibility, Writer>>()

function writerOf(contract: Contract, level: Visibility): Writer {
  let levels = writers.get(contract)
  if (levels === undefined) writers.set(contract, levels = new Map())
  let writer = levels.get(level)
  if (writer === undefined) levels.set(level, writer = level === 'public' ? publicWriter(contract) : levelWriter(contract, level))
  return writer
}

/** Writes the fields up to a level. @throws Error for a contract that no data stream has: technical events are not shown */
function levelWriter(contract: Contract, level: Visibility): Writer {
  if (!isDataStream(contract.stream)) throw new Error(`${contract.fullName} is of no data stream`)
  return jsonWriter(contract, fieldsUpTo(level) as (field: object) => boolean)
}

/** Whether a field is of those that are shown at a level; of the public some parties are left out besides. */
export function fieldsUpTo(level: Visibility): (field: { readonly visibility?: Visibility }) => boolean {
  const rank = GRANTS.indexOf(level)
  return ({ visibility }) => {
    const found = GRANTS.indexOf(visibility!)
    return found >= 0 && found <= rank
  }
}

/**
 * What the public is not told of persons: nothing that names a natural person, and not where a sole trader, who is one, is to be found. A sole
 * trader's name stands in lists and notices by law, as long as they are published.
 */
const PERSONAL: Readonly<Record<string, readonly string[]>> = { individual: ['name', 'uscc', 'regNo', 'address'], 'sole-trader': ['address'] }

/** For the public some parties are left out of what is left: producers that are not the producer, and what tells who a person is. */
function publicWriter(contract: Contract): Writer {
  const write = levelWriter(contract, 'public')
  const parties = shapeOf(contract.schema).fields.filter(({ shape }) => (shape.items?.record ?? shape.record)?.fields.some(({ field }) => field.name === 'entityType')).map(({ field }) => field.name)
  return (record) => {
    const json = write(record)
    for (const name of parties) {
      const value = json[name] as Values | readonly Values[] | null
      if (Array.isArray(value)) json[name] = value.filter((party) => isNamed(party as Values, json['outcome'])).map((party) => withoutPerson(party as Values))
      else if (value !== null) json[name] = withoutPerson(value as Values)
    }
    return json
  }
}

function isNamed(party: Values, outcome: unknown): boolean {
  return party['attribution'] !== 'denied' && !(outcome === 'denied' && party['role'] === 'nominal-producer')
}

function withoutPerson(party: Values): Values {
  const left = PERSONAL[party['entityType'] as string]
  return left === undefined ? party : Object.fromEntries(Object.entries(party).filter(([name]) => !left.includes(name)))
}
