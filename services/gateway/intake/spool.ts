import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

/** Verdicts up to this size wait in memory, more of them in a file. */
const MEMORY_BYTES = 1 << 20

/** Text that is written now and read once later, in bounded memory; disposing it removes its file. */
export interface Spool extends AsyncDisposable {
  write(text: string): Promise<void>
  readonly bytes: number
  /** Everything written, once, in order. */
  read(): Readable
}

export function createSpool(dir: string, memoryBytes = MEMORY_BYTES): Spool {
  const path = join(dir, `${randomUUID()}.ndjson`)
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let bytes = 0
  let file: FileHandle | undefined
  return {
    get bytes() {
      return bytes
    },
    async write(text) {
      const part = Buffer.from(text, 'utf8')
      waiting.push(part)
      waitingBytes += part.length
      bytes += part.length
      if (waitingBytes < memoryBytes) return
      const parts = waiting
      waiting = []
      waitingBytes = 0
      file ??= await open(path, 'wx+', 0o600)
      await file.writev(parts)
    },
    read() {
      const parts = waiting
      const handle = file
      return Readable.from(
        (async function* () {
          if (handle !== undefined) yield* handle.createReadStream({ start: 0, autoClose: false })
          yield* parts
        })(),
        { objectMode: false },
      )
    },
    async [Symbol.asyncDispose]() {
      waiting = []
      await file?.close()
      if (file !== undefined) await rm(path, { force: true })
    },
  }
}

/** Makes the folder for spools, whose path it returns, and removes what a killed process left there. */
export async function prepareSpoolDir(stateDir: string): Promise<string> {
  const dir = join(stateDir, 'verdicts')
  await mkdir(dir, { recursive: true })
  for (const name of await readdir(dir)) if (name.endsWith('.ndjson')) await rm(join(dir, name), { force: true })
  return dir
}
