import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { madeOnce } from './secret-file.ts'

export interface Secrets {
  postgres: string
  /** By Kafka user. */
  kafka: Record<string, string>
}

/** The passwords live with the data they open: made at random once, readable by this user alone. */
export async function readSecrets(dataDir: string, kafkaUsers: readonly string[]): Promise<Secrets> {
  const password = (): string => randomBytes(18).toString('hex')
  const made = (): Secrets => ({ postgres: password(), kafka: Object.fromEntries(kafkaUsers.map((user) => [user, password()])) })
  return JSON.parse(await madeOnce(join(dataDir, 'secrets.json'), () => JSON.stringify(made(), null, 2))) as Secrets
}
