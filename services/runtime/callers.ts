import { timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { ROLES, type Authenticator, type Caller, type Role } from './caller.ts'
import type { Dependency } from './http.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { pause } from './pause.ts'

/** Keys of one caller that are valid at once: the new one and, during a rotation, the one before. */
export const MAX_KEYS = 2

const FIELDS = new Set(['id', 'organisation', 'roles', 'sources', 'authorities', 'keyHashes', 'disabled', 'requestsPerSecond'])
const LOOK_MS = 1_000

export interface Callers extends AsyncDisposable {
  readonly authenticate: Authenticator
  /** Not ok while the file is not usable and the callers of before are kept. */
  health(): Dependency
}

/**
 * The callers of a region (`callers.yaml`), as the file says now: it is looked at every second, whatever way it is written or replaced. A file that cannot be
 * read or is not valid changes nothing: the callers of before stay, which the log, `hub_callers_file_broken` and /readyz say until it is mended. Throws
 * when the file is not usable at the start.
 */
export async function keepCallers(path: string, log: Log, metrics: Metrics): Promise<Callers> {
  let text = await readFile(path, 'utf8')
  let known = parseCallers(text, path)
  let fault: string | undefined
  metrics.gauge('hub_callers_file_broken', 'Whether callers.yaml is not usable, so that the callers of before are kept', [], (gauge) => gauge.set(fault === undefined ? 0 : 1))
  const stop = new AbortController()
  const looking = look()
  return {
    authenticate: (keyHash) => known(keyHash),
    health: () => (fault === undefined
      ? { name: 'callers', ok: true, required: false }
      : { name: 'callers', ok: false, required: false, detail: 'callers.yaml 有误（见日志），仍按之前的调用方执行；请改正后保存 · callers.yaml is not usable, the log says why; the callers of before are kept until it is mended' }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }

  async function look(): Promise<void> {
    for (await pause(LOOK_MS, stop.signal); !stop.signal.aborted; await pause(LOOK_MS, stop.signal)) {
      try {
        const now = await readFile(path, 'utf8')
        if (now === text && fault === undefined) continue
        known = parseCallers(now, path)
        text = now
        fault = undefined
        log.info({ path }, 'callers read again')
      } catch (error) {
        const now = error instanceof Error ? error.message : String(error)
        if (now !== fault) log.error({ fault: now, path }, 'callers file is not usable, the callers of before are kept')
        fault = now
      }
    }
  }
}

/**
 * Who may call and as what: who may publish for which source systems (what stands before the `/` of a record id) and authorities, `*` being any.
 * Throws with every problem of the text at once; no message holds what stands where a key's hash should. Every key is compared with every hash in constant time, so
 * an answer tells nothing about the keys there are. A caller that is disabled has no valid key.
 */
export function parseCallers(yaml: string, name: string): Authenticator {
  const problems: string[] = []
  const keys: { hash: Buffer; caller: Caller }[] = []
  const ids = new Set<string>()
  const hashes = new Set<string>()
  const document = read(yaml, name)
  const entries = isRecord(document) && Array.isArray(document['callers']) ? (document['callers'] as unknown[]) : []
  if (entries.length === 0) problems.push('callers: a list with at least one caller is expected')
  entries.forEach((entry, index) => {
    const at = (field: string): string => `callers[${index}].${field}`
    const fields = isRecord(entry) ? entry : {}
    const strings = (field: string): string[] => {
      const value = fields[field] ?? []
      if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
      problems.push(`${at(field)}: a list of strings is expected`)
      return []
    }
    const text = (field: string): string => {
      const value = fields[field]
      if (typeof value === 'string' && value !== '') return value
      problems.push(`${at(field)}: a text is expected`)
      return ''
    }
    // A `disable: true` must not pass for a caller that is still let in.
    for (const field of Object.keys(fields)) if (!FIELDS.has(field)) problems.push(`${at(field)}: this field is not known; there are ${[...FIELDS].join(', ')}`)
    const roles = strings('roles')
    for (const role of roles) if (!isRole(role)) problems.push(`${at('roles')}: ${role} is not one of ${ROLES.join(', ')}`)
    const requestsPerSecond = fields['requestsPerSecond']
    if (requestsPerSecond !== undefined && !(Number.isSafeInteger(requestsPerSecond) && Number(requestsPerSecond) > 0)) problems.push(`${at('requestsPerSecond')}: a whole number above 0 is expected`)
    const disabled = fields['disabled'] ?? false
    if (typeof disabled !== 'boolean') problems.push(`${at('disabled')}: true or false is expected`)
    const caller: Caller = {
      id: text('id'), organisation: text('organisation'), roles: roles.filter(isRole), sources: strings('sources'), authorities: strings('authorities'),
      ...(requestsPerSecond !== undefined && { requestsPerSecond: Number(requestsPerSecond) }),
    }
    if (ids.has(caller.id)) problems.push(`${at('id')}: ${caller.id} stands twice`)
    ids.add(caller.id)
    const keyHashes = strings('keyHashes')
    if (keyHashes.length > MAX_KEYS) problems.push(`${at('keyHashes')}: at most ${MAX_KEYS} are expected, the new key and the one before`)
    for (const keyHash of keyHashes) {
      if (!/^[0-9a-f]{64}$/.test(keyHash)) problems.push(`${at('keyHashes')}: 64 lower-case hexadecimal digits (SHA-256 of the key) are expected`)
      else if (hashes.has(keyHash)) problems.push(`${at('keyHashes')}: the same key stands twice in the file`)
      else if (disabled !== true) keys.push({ hash: Buffer.from(keyHash, 'hex'), caller })
      hashes.add(keyHash)
    }
  })
  if (problems.length > 0) throw new Error(`${name}:\n  ${problems.join('\n  ')}`)
  return (presented) => {
    let found: Caller | undefined
    for (const known of keys) if (timingSafeEqual(known.hash, presented)) found = known.caller
    return found
  }
}

function read(yaml: string, name: string): unknown {
  try {
    return parse(yaml)
  } catch (error) {
    // What follows the first line is a piece of the file.
    throw new Error(`${name}: ${String((error as Error).message).split('\n')[0]}`)
  }
}

function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
