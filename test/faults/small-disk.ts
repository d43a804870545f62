import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '@hub/runtime/db'

/** Room for a database; what is left is taken by `fill`. */
const SIZE = '160m'

/** A file system of its own for one database, that can be filled up. It stays until `unmountAll`. */
export interface SmallDisk {
  /** Takes all the room that is left. */
  fill(): void
  /** Gives it back. */
  free(): void
}

/** Moves a database, which nobody may be connected to, to a small file system in memory. @throws Error where mounting is not allowed */
export async function moveToSmallDisk(server: Db, database: string): Promise<SmallDisk> {
  const { rows: [at] } = await server.query<{ dir: string }>(`SELECT current_setting('data_directory') AS dir`)
  const dataDir = at!.dir
  const dir = mkdtempSync(join(tmpdir(), 'yrd-hub-small-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'none', dir])
  mounted.push(dir)
  const place = join(dir, 'tablespace')
  const filler = join(dir, 'filler')
  const { uid, gid } = statSync(dataDir)
  mkdirSync(place)
  for (const path of [dir, place]) {
    chownSync(path, uid, gid)
    chmodSync(path, 0o700)
  }
  await server.query(`CREATE TABLESPACE "${database}" LOCATION '${place}'`)
  await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`)
  await server.query(`ALTER DATABASE "${database}" SET TABLESPACE "${database}"`)
  return {
    fill() {
      const room = Buffer.alloc(64 * 1024)
      try {
        for (;;) writeFileSync(filler, room, { flag: 'a' })
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error
      }
    },
    free: () => rmSync(filler, { force: true }),
  }
}

const mounted: string[] = []

/** After the server has ended. */
export function unmountAll(): void {
  for (const dir of mounted.splice(0)) execFileSync('umount', [dir])
}
