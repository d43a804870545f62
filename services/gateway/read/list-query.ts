import { Problem } from '@hub/runtime/http'
import { filterChoices, filterForm, FILTERS, partyRole, type Filter } from '@hub/schemas/filters'
import { parseDay } from '@hub/schemas/read-time'
import { DATA_STREAMS, type DataStream, type Region } from '@hub/schemas/streams'

/** One comparison of a list: any of the columns with the value. */
export interface Condition {
  readonly how: 'equals' | 'prefix' | 'from' | 'before' | 'involves'
  readonly columns: readonly string[]
  readonly pgType: 'text' | 'date' | 'bool'
  readonly value: string
  readonly indexed: boolean
}

export interface ListQuery {
  readonly conditions: readonly Condition[]
  /** A party that must be in a region in a role: no column says it, so it is looked up in the record. */
  readonly party: { readonly region: Region; readonly role: string } | undefined
  /** Says the same for the same filters, in whatever order they were given. */
  readonly bound: string
}

/** Parameters of the route that are no filters. */
const OTHERS = ['recordId', 'asOf', 'after', 'limit'] as const

type Given = Readonly<Record<string, unknown>>

/** @throws Problem that names the nearest parameter for one that the stream's records do not have */
export function checkParameters(stream: string, given: Given): void {
  if (!Object.hasOwn(FILTERS, stream)) return
  const known = [...OTHERS, ...FILTERS[stream as DataStream].map(({ name }) => name)]
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    // A name that is not one is not said again.
    const said = /^[\w.-]{1,40}$/.test(name) ? `"${name}" is not a parameter of ${stream}.` : 'One of the parameters is none.'
    throw new Problem(400, 'PARAMETER_UNKNOWN', '没有这个参数 · there is no such parameter', `${said} Did you mean "${nearest(name.slice(0, 40), known)}"? ${stream} takes: ${known.join(', ')}.`)
  }
}

/** @throws Problem for a combination that means nothing */
export function checkCombination(given: Given): void {
  const filters = Object.keys(given).filter((name) => !(OTHERS as readonly string[]).includes(name))
  const refuse = (detail: string): never => { throw new Problem(400, 'PARAMETER_CONFLICT', '参数不能同时使用 · these parameters do not go together', detail) }
  if (given['recordId'] !== undefined && (filters.length > 0 || given['after'] !== undefined || given['limit'] !== undefined)) refuse('recordId asks for one record: leave filters, after and limit out.')
  if (given['recordId'] === undefined && given['asOf'] !== undefined) refuse('asOf goes with recordId: lists are of the current versions.')
}

/** Reads the filters of a list. @throws Problem for a value that its filter does not take */
export function parseFilters(stream: DataStream, given: Given): ListQuery {
  const filters = FILTERS[stream].filter(({ name }) => given[name] !== undefined)
  const role = roleOf(filters, given)
  const conditions: Condition[] = []
  for (const filter of filters) {
    const { name, how, value, columns } = filter
    if (how === 'role') continue
    const text = String(given[name])
    check(filter, text)
    const own = columns.filter((column) => role === undefined || column.role === undefined || column.role === role)
    if (own.length === 0) throw invalid(`${name} is known of the roles ${columns.flatMap((column) => column.role ?? []).join(', ')}`)
    conditions.push({ how, columns: own.map(({ column }) => column), pgType: value === 'date' ? 'date' : value === 'boolean' ? 'bool' : 'text', value: text, indexed: filter.indexed === true })
  }
  const involves = given['involves'] as Region | undefined
  return {
    conditions,
    party: involves !== undefined && role !== undefined ? { region: involves, role } : undefined,
    bound: JSON.stringify([stream, role ?? null, ...conditions.map(({ how, columns, value }) => [how, columns, value])]),
  }
}

function roleOf(filters: readonly Filter[], given: Given): string | undefined {
  const filter = filters.find(({ how }) => how === 'role')
  if (filter === undefined) return undefined
  const word = String(given[filter.name])
  check(filter, word)
  const about = ['involves', 'uscc', 'division']
  if (!about.some((name) => given[name] !== undefined)) throw new Problem(400, 'PARAMETER_CONFLICT', '参数不能同时使用 · these parameters do not go together', `role goes with ${about.join(', ')}: it says which party they are about.`)
  return partyRole(word)
}

function check(filter: Filter, text: string): void {
  const choices = filterChoices(filter)
  if (choices !== undefined && !choices.includes(text)) throw invalid(`${filter.name} must be one of ${choices.join(', ')}`)
  const { pattern, what } = filterForm(filter)
  if (!new RegExp(pattern).test(text) || (filter.value === 'date' && parseDay(text) === undefined)) throw invalid(`${filter.name} must be ${what}`)
}

function invalid(detail: string): Problem {
  return new Problem(400, 'REQUEST_INVALID', '请求参数不对 · the request is not valid', detail)
}

/** The filters of all streams as the query of the document has them: one parameter a name. */
export function filterParameters(): Record<string, object> {
  const all = DATA_STREAMS.flatMap((stream) => FILTERS[stream].map((filter) => ({ stream, filter })))
  return Object.fromEntries([...Map.groupBy(all, ({ filter }) => filter.name)].map(([name, uses]) => {
    const choices = uses.map(({ filter }) => filterChoices(filter))
    const texts = [...Map.groupBy(uses, ({ filter: { text: [zh, en] } }) => `${zh} · ${en}`)].map(([text, those]) =>
      (those.length === DATA_STREAMS.length ? text : `${those.map(({ stream }) => stream).join(', ')}: ${text}`))
    const { pattern, maxLength } = filterForm(uses[0]!.filter)
    return [name, {
      type: 'string', maxLength, description: texts.join('; '),
      ...(choices.every((one) => one !== undefined) ? { enum: [...new Set(choices.flat())] } : { pattern }),
    }]
  }))
}

/** The known name with the fewest letters to change, add or drop. */
function nearest(name: string, known: readonly string[]): string {
  return known.map((one) => ({ one, distance: distanceOf(name.toLowerCase(), one.toLowerCase()) })).reduce((best, next) => (next.distance < best.distance ? next : best)).one
}

/** Levenshtein distance. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
