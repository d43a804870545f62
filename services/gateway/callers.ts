import { ROLES } from '@hub/runtime/access'
import type { Authenticator, Caller, Role } from '@hub/runtime/http'
import { timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'

/**
 * Reads the callers of a region (`callers.yaml`): who may publish for which source systems (what stands before the `/` of a
 * record id) and authorities, `*` being any. Throws with every problem of the file at once.
 */
export async function loadCallers(path: string): Promise<Authenticator> {
  return parseCallers(await readFile(path, 'utf8'), path)
}

/** Every key is compared with every hash in constant time, so an answer tells nothing about the keys there are. */
export function parseCallers(yaml: string, name: string): Authenticator {
  const problems: string[] = []
  const keys: { hash: Buffer; caller: Caller }[] = []
  const ids = new Set<string>()
  const document: unknown = parse(yaml)
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
    const roles = strings('roles')
    for (const role of roles) if (!isRole(role)) problems.push(`${at('roles')}: ${role} is not one of ${ROLES.join(', ')}`)
    const caller = { id: text('id'), organisation: text('organisation'), roles: roles.filter(isRole), sources: strings('sources'), authorities: strings('authorities') }
    if (ids.has(caller.id)) problems.push(`${at('id')}: ${caller.id} stands twice`)
    ids.add(caller.id)
    for (const keyHash of strings('keyHashes')) {
      if (/^[0-9a-f]{64}$/.test(keyHash)) keys.push({ hash: Buffer.from(keyHash, 'hex'), caller })
      else problems.push(`${at('keyHashes')}: 64 lower-case hexadecimal digits (SHA-256 of the key) are expected`)
    }
  })
  if (problems.length > 0) throw new Error(`${name}:\n  ${problems.join('\n  ')}`)
  return (presented) => {
    let found: Caller | undefined
    for (const known of keys) if (timingSafeEqual(known.hash, presented)) found = known.caller
    return found
  }
}

/** Whether a list of sources or authorities names a value. */
export function allows(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes('*')
}

function isRole(value: string): value is Role {
  return (ROLES as readonly string[]).includes(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
