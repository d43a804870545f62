import { createDb, type Db } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'

/** Keeps a copy of a database that nobody is connected to, as a backup of it. @returns its name */
export async function backUp(url: string): Promise<string> {
  const { name, server } = serverOf(url)
  const copy = `${name}-backup`
  await using db = server
  await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  await db.query(`CREATE DATABASE "${copy}" TEMPLATE "${name}"`)
  return copy
}

/** Puts a backup in the place of a database. */
export async function restore(url: string, backup: string): Promise<void> {
  const { name, server } = serverOf(url)
  await using db = server
  await db.query(`DROP DATABASE "${name}" WITH (FORCE)`)
  await db.query(`CREATE DATABASE "${name}" TEMPLATE "${backup}"`)
}

function serverOf(url: string): { name: string, server: Db } {
  const at = new URL(url)
  const name = at.pathname.slice(1)
  at.pathname = '/postgres'
  return { name, server: createDb({ url: at.href, name: 'test', max: 1, log: createLog({ service: 'test', level: 'silent' }) }) }
}
