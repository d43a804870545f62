import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, stat, writeFile } from 'node:fs/promises'
import { ROLES, keyHash, type Role } from '@hub/runtime/caller'
import { MAX_KEYS, parseCallers } from '@hub/runtime/callers'
import { isMap, isSeq, parseDocument, type Document, type YAMLMap, type YAMLSeq } from 'yaml'
import { CliFailure, EXIT } from './failure.ts'

export interface NewCaller {
  readonly id: string
  readonly organisation: string
  readonly roles: readonly string[]
  readonly sources: readonly string[]
  readonly authorities: readonly string[]
}

/** A caller as it is listed: of its keys the number alone. */
export interface ListedCaller extends Omit<NewCaller, 'roles'> {
  readonly roles: readonly Role[]
  readonly keys: number
  readonly disabled: boolean
}

/** A changed file, and the key that was made for it: shown once, kept nowhere. */
export interface Made {
  readonly yaml: string
  readonly key: string
}

export function listCallers(yaml: string, name: string): ListedCaller[] {
  const { document } = open(yaml, name)
  return (document.toJS() as { callers: Record<string, unknown>[] }).callers.map((entry) => ({
    id: entry['id'] as string,
    organisation: entry['organisation'] as string,
    roles: (entry['roles'] ?? []) as Role[],
    sources: (entry['sources'] ?? []) as string[],
    authorities: (entry['authorities'] ?? []) as string[],
    keys: ((entry['keyHashes'] ?? []) as string[]).length,
    disabled: entry['disabled'] === true,
  }))
}

/** Adds a caller with one key. */
export function addCaller(yaml: string, name: string, caller: NewCaller): Made {
  const { document, callers } = open(yaml, name)
  if (!/^[a-z0-9][a-z0-9-]{1,40}$/.test(caller.id)) throw invalid(`调用方编号 ${caller.id} 应为 2–41 个小写字母、数字或连字符`, `The caller's id ${caller.id} should be 2–41 lower-case letters, digits or hyphens`)
  if (callers.items.some((entry) => isMap(entry) && entry.get('id') === caller.id)) throw invalid(`调用方 ${caller.id} 已存在；换新密钥用 rotate`, `There is a caller ${caller.id} already; "rotate" gives it a new key`)
  for (const role of caller.roles) if (!ROLES.some((one) => one === role)) throw invalid(`没有角色 ${role}，应为 ${ROLES.join('、')}`, `There is no role ${role}; it is one of ${ROLES.join(', ')}`)
  const publishes = caller.roles.includes('publisher')
  if (publishes && (caller.sources.length === 0 || caller.authorities.length === 0)) {
    throw invalid("发布方须用 --source 和 --authority 指明可发布的来源系统和决定机关（'*' 为任意）", "A publisher needs --source and --authority: what it may publish for ('*' is any)")
  }
  if (!publishes && caller.sources.length + caller.authorities.length > 0) throw invalid('--source 和 --authority 只用于发布方', '--source and --authority are for publishers alone')
  const key = makeKey(caller.id)
  const lists = publishes ? { sources: caller.sources, authorities: caller.authorities } : {}
  const entry = document.createNode({ id: caller.id, organisation: caller.organisation, roles: caller.roles, ...lists, keyHashes: [hashOf(key)] }) as YAMLMap
  for (const field of ['roles', 'sources', 'authorities']) inOneLine(entry.get(field))
  callers.add(entry)
  return { yaml: written(document, name), key }
}

/** Adds a key to a caller; of the keys there were, the newest stays valid beside it. */
export function rotateKey(yaml: string, name: string, id: string): Made {
  const { document, callers } = open(yaml, name)
  const entry = find(callers, id)
  if (entry.get('disabled') === true) throw invalid(`调用方 ${id} 已停用。如要恢复，请先在文件中删去 disabled: true`, `The caller ${id} is disabled. To let it in again, take "disabled: true" out of the file first`)
  const key = makeKey(id)
  setHashes(document, entry, [...hashesOf(entry), hashOf(key)].slice(-MAX_KEYS))
  return { yaml: written(document, name), key }
}

/** Leaves a caller its newest key alone. */
export function finishRotation(yaml: string, name: string, id: string): string {
  const { document, callers } = open(yaml, name)
  const entry = find(callers, id)
  if (hashesOf(entry).length < MAX_KEYS) throw invalid(`调用方 ${id} 没有进行中的密钥更换`, `No rotation of the caller ${id} is under way`)
  setHashes(document, entry, hashesOf(entry).slice(-1))
  return written(document, name)
}

/** Takes all keys from a caller; its entry stays, so that its id is not given to somebody else. */
export function disableCaller(yaml: string, name: string, id: string): string {
  const { document, callers } = open(yaml, name)
  const entry = find(callers, id)
  setHashes(document, entry, [])
  entry.set('disabled', true)
  return written(document, name)
}

export function readCallers(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliFailure(EXIT.environment, `读不到 ${file}：${(error as Error).message}`, `${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** Puts the whole text in place of the file at once, with the file's own permissions: a gateway never sees half of it. */
export async function replaceCallers(file: string, yaml: string): Promise<void> {
  const { mode } = await stat(file)
  const beside = `${file}.${process.pid}.tmp`
  await writeFile(beside, yaml, { mode: mode & 0o777, flush: true })
  await rename(beside, file)
}

function makeKey(id: string): string {
  return `${id}-${randomBytes(18).toString('hex')}`
}

function hashOf(key: string): string {
  return keyHash(key).toString('hex')
}

function open(yaml: string, name: string): { document: Document; callers: YAMLSeq } {
  validate(yaml, name)
  const document = parseDocument(yaml)
  return { document, callers: document.get('callers') as YAMLSeq }
}

/** The text of a changed document, which a gateway must take. */
function written(document: Document, name: string): string {
  const yaml = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  validate(yaml, name)
  return yaml
}

function validate(yaml: string, name: string): void {
  try {
    parseCallers(yaml, name)
  } catch (error) {
    throw new CliFailure(EXIT.validation, `文件有误，未作改动：${(error as Error).message}`, `The file is not valid and was not changed: ${(error as Error).message}`, { cause: error })
  }
}

function find(callers: YAMLSeq, id: string): YAMLMap {
  const found = callers.items.find((entry) => isMap(entry) && entry.get('id') === id)
  if (found === undefined) throw invalid(`没有调用方 ${id}；用 hub caller list 查看`, `There is no caller ${id}; "hub caller list" shows them`)
  return found as YAMLMap
}

function hashesOf(entry: YAMLMap): string[] {
  return (entry.toJSON() as { keyHashes?: string[] }).keyHashes ?? []
}

function setHashes(document: Document, entry: YAMLMap, hashes: readonly string[]): void {
  const list = document.createNode(hashes)
  if (hashes.length === 0) inOneLine(list)
  entry.set('keyHashes', list)
}

function inOneLine(node: unknown): void {
  if (isSeq(node)) node.flow = true
}

function invalid(zh: string, en: string): CliFailure {
  return new CliFailure(EXIT.validation, `${zh}。`, `${en}.`)
}
