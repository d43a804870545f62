import avro from 'avsc'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { fullNameOf, resolveType, type AvroField, type AvroNames, type AvroNode, type AvroSchema } from './avro-types.ts'
import { ALL_CONTRACTS, type Contract } from './contracts.ts'

const RELEASED = new URL('./released/', import.meta.url)

export interface Finding {
  readonly subject: string
  readonly message: string
}

interface Release {
  readonly number: number
  readonly schema: AvroSchema
}

/**
 * Every contract against every released version of it (`released/<full name>/<n>.json`), both ways, without a registry. A contract that is not its
 * newest release word for word is a finding too: what a deployment registers must have been released.
 */
export async function checkReleased(folder: URL = RELEASED, contracts: readonly Contract[] = ALL_CONTRACTS): Promise<Finding[]> {
  const findings = await broken(folder, contracts)
  for (const { fullName: subject, next } of await unreleased(folder, contracts)) {
    if (!findings.some((finding) => finding.subject === subject)) {
      findings.push({ subject, message: `not released yet: run "node schemas/compat.ts" and commit schemas/released/${subject}/${next}.json` })
    }
  }
  return findings
}

/** Writes the next version of every contract that is not its newest release, and names the files. @throws Error when one is incompatible */
export async function release(folder: URL = RELEASED, contracts: readonly Contract[] = ALL_CONTRACTS): Promise<string[]> {
  const findings = await broken(folder, contracts)
  if (findings.length > 0) throw new Error(findings.map(({ subject, message }) => `${subject}: ${message}`).join('\n'))
  const written: string[] = []
  for (const { fullName, schema, next } of await unreleased(folder, contracts)) {
    const file = `${fullName}/${next}.json`
    await mkdir(new URL(`${fullName}/`, folder), { recursive: true })
    await writeFile(new URL(file, folder), `${JSON.stringify(schema, null, 2)}\n`)
    written.push(file)
  }
  return written
}

/** Contracts that break with a released version of theirs, and releases whose contract is gone. */
async function broken(folder: URL, contracts: readonly Contract[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { fullName: subject, schema } of contracts) {
    for (const { number, schema: released } of await readReleases(folder, subject)) {
      findings.push(...incompatibilities(released, schema).map((message) => ({ subject, message: `version ${number}: ${message}` })))
    }
  }
  const known = new Set(contracts.map(({ fullName }) => fullName))
  for (const subject of await list(folder)) {
    if (!known.has(subject)) findings.push({ subject, message: 'released, but no contract any more: its events are still on the logs' })
  }
  return findings
}

async function unreleased(folder: URL, contracts: readonly Contract[]): Promise<(Contract & { next: number })[]> {
  const found: (Contract & { next: number })[] = []
  for (const contract of contracts) {
    const newest = (await readReleases(folder, contract.fullName)).at(-1)
    if (!isDeepStrictEqual(newest?.schema, contract.schema)) found.push({ ...contract, next: (newest?.number ?? 0) + 1 })
  }
  return found
}

/**
 * What keeps two versions of a contract from reading each other's events, and from meaning the same by it; empty = FULL compatible. Each
 * message begins with the path of the field. Stricter than Avro where Avro would lose something in silence: renamed fields, changed logical
 * types, removed enum symbols, and defaults that would change the hash of records published before.
 */
export function incompatibilities(older: unknown, newer: unknown): string[] {
  const found: string[] = []
  compare(side(older), side(newer), '', found)
  // Whatever these checks do not know, the decoder's own rules do.
  return found.length > 0 ? found : [...resolves(newer, older), ...resolves(older, newer)]
}

interface Side {
  readonly type: AvroSchema
  readonly namespace: string
  readonly names: AvroNames
}

function side(schema: unknown): Side {
  return { type: schema as AvroSchema, namespace: '', names: new Map() }
}

function compare(older: Side, newer: Side, path: string, found: string[]): void {
  const from = resolveType(older.type, older.namespace, older.names)
  const to = resolveType(newer.type, newer.namespace, newer.names)
  const inside = (whole: Side, node: AvroNode, type: AvroSchema): Side => ({ type, namespace: node.namespace, names: whole.names })
  const say = (message: string): void => { found.push(path === '' ? message : `${path} ${message}`) }

  if (describe(from) !== describe(to)) {
    say(`changed from ${describe(from)} to ${describe(to)}`)
  } else if ('branches' in from || 'branches' in to) {
    const [before, after] = [from, to] as [Extract<AvroNode, { kind: 'union' }>, Extract<AvroNode, { kind: 'union' }>]
    before.branches.forEach((branch, at) => compare(inside(older, before, branch), inside(newer, after, after.branches[at]!), path, found))
  } else if (from.kind === 'record') {
    compareFields(from.schema.fields ?? [], to.schema.fields ?? [], path, found,
      (before, after, at) => compare(inside(older, from, before), inside(newer, to, after), at, found))
  } else if (from.kind === 'array') {
    compare(inside(older, from, from.schema.items ?? 'null'), inside(newer, to, to.schema.items ?? 'null'), `${path}[]`, found)
  } else if (from.kind === 'map') {
    compare(inside(older, from, from.schema.values ?? 'null'), inside(newer, to, to.schema.values ?? 'null'), `${path}{}`, found)
  } else if (from.kind === 'enum') {
    for (const symbol of from.schema.symbols ?? []) if (!to.schema.symbols?.includes(symbol)) say(`lost the symbol ${symbol}`)
    if (from.schema.default === undefined) for (const symbol of to.schema.symbols ?? []) if (!from.schema.symbols?.includes(symbol)) say(`gained the symbol ${symbol}, which readers of the older version have no default for`)
  }
}

function compareFields(older: readonly AvroField[], newer: readonly AvroField[], path: string, found: string[], deeper: (older: AvroSchema, newer: AvroSchema, path: string) => void): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  for (const field of newer) {
    const before = older.find(({ name }) => name === field.name)
    if (before !== undefined) {
      deeper(before.type, field.type, at(field.name))
      continue
    }
    const renamed = field.aliases?.find((alias) => older.some(({ name }) => name === alias))
    if (renamed !== undefined) found.push(`${at(field.name)} is ${at(renamed)} renamed: readers of the older version lose its values`)
    else if (field.default === undefined) found.push(`${at(field.name)} is new and has no default`)
    else if (!isAbsent(field.default)) found.push(`${at(field.name)} is new, so its default must be null or []: another one changes the hash of every record published before`)
  }
  for (const field of older) {
    if (newer.some(({ name }) => name === field.name)) continue
    if (field.default === undefined) found.push(`${at(field.name)} is gone, but readers of the older version have no default for it`)
  }
}

function resolves(reader: unknown, writer: unknown): string[] {
  try {
    parse(reader).createResolver(parse(writer))
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

function parse(schema: unknown): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { registry: {} })
}

/** What has to stay as it is for a value to be read: kind, logical type, name, size, branches. */
function describe(node: AvroNode): string {
  if ('branches' in node) return `[${node.branches.map(short).join(', ')}]`
  const { kind, schema, fullName } = node
  return [kind, ...(fullName === undefined ? [] : [fullName]), ...(schema.logicalType === undefined ? [] : [`(${schema.logicalType})`]), ...(kind === 'fixed' ? [schema.size] : [])].join(' ')
}

/** A branch in a word; what is inside it is compared on its own. */
function short(branch: AvroSchema): string {
  if (typeof branch === 'string') return branch.slice(branch.lastIndexOf('.') + 1)
  if (Array.isArray(branch)) return 'union'
  const { name, type } = branch as { name?: string; type: AvroSchema }
  return name === undefined ? short(type) : name.slice(name.lastIndexOf('.') + 1)
}

function isAbsent(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

async function readReleases(folder: URL, subject: string): Promise<Release[]> {
  const numbers = (await list(new URL(`${subject}/`, folder))).flatMap((file) => /^([1-9]\d*)\.json$/.exec(file)?.slice(1).map(Number) ?? [])
  return Promise.all(numbers.sort((a, b) => a - b).map(async (number) => {
    const schema = JSON.parse(await readFile(new URL(`${subject}/${number}.json`, folder), 'utf8')) as AvroSchema & { name?: string; namespace?: string }
    if (fullNameOf(schema) !== subject) throw new Error(`schemas/released/${subject}/${number}.json is the schema of ${fullNameOf(schema)}`)
    return { number, schema }
  }))
}

async function list(folder: URL): Promise<string[]> {
  return (await readdir(folder).catch((): string[] => [])).filter((name) => !name.startsWith('.')).sort()
}

if (import.meta.main) {
  const written = await release()
  process.stdout.write(written.length === 0 ? '没有新版本 · nothing new to release\n' : written.map((file) => `schemas/released/${file}\n`).join(''))
}
