import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'

export interface Uploaded {
  readonly bytes: number
  readonly sha256: Buffer
}

/** Writes a body to a file that only this user can read, durably. Nothing is left where it breaks off. */
export async function store(chunks: AsyncIterable<Uint8Array>, path: string): Promise<Uploaded> {
  const sum = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      sum.update(chunk)
      bytes += chunk.length
      await file.write(chunk)
    }
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(path, { force: true })
    throw error
  }
  await file.close()
  return { bytes, sha256: sum.digest() }
}
