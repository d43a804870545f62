import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Secrets {
  postgres: string
  /** By Kafka user. */
  kafka: Record<string, string>
}

/** The passwords live with the data they open: made at random once, readable by this user alone. */
export async function readSecrets(dataDir: string, kafkaUsers: readonly string[]): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  const password = (): string => randomBytes(18).toString('hex')
  const secrets: Secrets = { postgres: password(), kafka: Object.fromEntries(kafkaUsers.map((user) => [user, password()])) }
  await mkdir(dataDir, { recursive: true })
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  return secrets
}
