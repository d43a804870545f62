import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openSupervisor } from '@hub/local/supervisor'

/** Clears the data of earlier test runs whose launcher is gone: of failed runs, which kept theirs, and of killed ones. */
export async function removeAbandoned(projectDataDir: string): Promise<void> {
  const names = (await readdir(projectDataDir).catch(() => [])).filter((name) => /^test-\d+$/.test(name))
  for (const dir of names.map((name) => join(projectDataDir, name))) {
    try {
      await (await openSupervisor(dir)).close()
      await rm(dir, { recursive: true, force: true })
    } catch {
      // its launcher still runs: another test run on this clone
    }
  }
}
