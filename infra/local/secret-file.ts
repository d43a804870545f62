import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the file says; made and written where there is none. */
export async function madeOnce(file: string, make: () => string): Promise<string> {
  if (existsSync(file)) return await readFile(file, 'utf8')
  const text = make()
  await writeSecret(file, text)
  return text
}

/** Readable by this user alone, and never half written: whoever sees the file can read all of it. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.tmp`, text, { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}
