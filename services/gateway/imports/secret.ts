import { createHash, hash, randomBytes } from 'node:crypto'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Db } from '@hub/runtime/db'

/**
 * The secret by which report and order numbers are hashed, 32 bytes: made once, in a file that only this user can read. All gateways of a region need the same one; the
 * database knows its fingerprint, so that another one is noticed. Undefined = the region's is another one: nothing may be imported here.
 */
export async function readSecret(db: Db, path: string): Promise<Uint8Array | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  const secret = text === undefined ? randomBytes(32) : Buffer.from(text.trim(), 'hex')
  if (secret.length < 32) throw new Error(`${path}: at least 64 hexadecimal digits are expected`)
  const fingerprint = hash('sha256', Buffer.concat([Buffer.from('import secret\n'), secret]), 'buffer')
  if (text === undefined) {
    await writeFile(`${path}.tmp`, secret.toString('hex'), { mode: 0o600 })
    await rename(`${path}.tmp`, path)
  }
  await db.query('INSERT INTO import_secret (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING', [fingerprint])
  const { rows: [known] } = await db.query<{ fingerprint: Buffer }>('SELECT fingerprint FROM import_secret')
  return known!.fingerprint.equals(fingerprint) ? secret : undefined
}

/** Fingerprint of everything by which a file is read: the connectors with their tables, and the contracts. */
export async function mappingFingerprint(): Promise<string> {
  const sum = createHash('sha256')
  for (const entry of ['@hub/connectors/convert', '@hub/schemas/read-event']) {
    const folder = dirname(fileURLToPath(import.meta.resolve(entry)))
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile() && /\.(ts|csv|json|avsc)$/.test(file.name) && !file.name.endsWith('.test.ts') && !file.parentPath.includes('node_modules'))
    for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) sum.update(await readFile(path))
  }
  return sum.digest('hex').slice(0, 32)
}
