import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Details, type DetailsFile } from './details.ts'
import { Holdings, type Tallies } from './holdings.ts'
import { SEGMENTS, type SegmentedTable } from './table.ts'

const MAGIC = Buffer.from('YRDSNAP2', 'latin1')
const NAME = /^index-(\d{12})\.snapshot$/
const UNFINISHED = /^index-\d{12}\.snapshot\.new$/
/** Generations kept: when the newest is damaged, the one before it needs a longer replay and is as good. */
const KEPT = 2
/** Places, files and bad events: far more than there can be. */
const MAX_HEADER_BYTES = 64 * 1024 * 1024
const SLICE_BYTES = 1024 * 1024
/** Entries and words, four bytes each, per segment of both tables. */
const SIZES_BYTES = SEGMENTS * 2 * 8

/** Where one topic partition of the log goes on. Its number is its place in the list. */
export interface Place {
  readonly topic: string
  readonly partition: number
  /** The log's, from its genesis record. */
  readonly generation: string
  readonly next: number
}

interface Header {
  readonly places: readonly Place[]
  /** What else the reader of the log needs to go on; written and read as JSON. */
  readonly state: unknown
  readonly files: readonly DetailsFile[]
  readonly tallies: Tallies
}

export interface Loaded {
  readonly holdings: Holdings
  readonly places: readonly Place[]
  readonly state: unknown
}

/** A snapshot that could not be used, and why. */
export interface Skipped {
  readonly name: string
  readonly error: Error
}

export interface SnapshotOptions {
  readonly dir: string
  /** Whether the logs are still the ones it was made from. @returns why not */
  readonly refuse: (places: readonly Place[]) => string | undefined
  readonly places: number
  /** For tests: the size of a file of the details. */
  readonly unitsPerFile?: number
}

/**
 * The holdings of the newest snapshot of a folder that is whole and of these logs, else of the one before it, else new ones: then `places` is empty and
 * the logs are read from their beginnings. What cannot be used is removed. Synchronous, about 0.1 s per million subjects: nothing can be answered before.
 */
export function load(options: SnapshotOptions): Loaded & { readonly skipped: readonly Skipped[] } {
  const { dir } = options
  mkdirSync(dir, { recursive: true })
  for (const name of readdirSync(dir)) if (UNFINISHED.test(name)) rmSync(join(dir, name))
  const skipped: Skipped[] = []
  for (const name of newestFirst(dir)) {
    try {
      return { ...loadOne(join(dir, name), options), skipped }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      skipped.push({ name, error })
      // What stands in the details beyond the older snapshot is cut off: this one could never be used again.
      rmSync(join(dir, name))
    }
  }
  const details = new Details(dir, [], options.unitsPerFile)
  details.removeOthers([])
  return { holdings: new Holdings(details, options.places), places: [], state: undefined, skipped }
}

/**
 * Writes the holdings as they are at the call, whatever is applied meanwhile, and removes what no kept snapshot needs. One at a time per folder.
 * @param signal ends it early, without a trace
 * @returns its size in bytes
 */
export async function save(dir: string, holdings: Holdings, places: readonly Place[], state: unknown, signal?: AbortSignal): Promise<number> {
  const { details } = holdings
  const header: Header = { places, state, files: details.files, tallies: holdings.tallies }
  const headerBytes = Buffer.from(JSON.stringify(header))
  using subjects = holdings.subjects.table.snapshot()
  using records = holdings.records.table.snapshot()
  const tables = [subjects, records]

  const number = Number(NAME.exec(newestFirst(dir)[0] ?? '')?.[1] ?? 0) + 1
  const name = `index-${number.toString().padStart(12, '0')}.snapshot`
  const unfinished = join(dir, `${name}.new`)
  let size = 0
  try {
    await using file = await open(unfinished, 'wx')
    let crc = 0
    const write = async (bytes: Buffer): Promise<void> => {
      signal?.throwIfAborted()
      crc = crc32(bytes, crc)
      size += bytes.length
      for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten
    }
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32LE(headerBytes.length, 0)
    const sizes = Uint32Array.from(tables.flatMap((table) => table.sizes.flatMap(({ count, words }) => [count, words])))
    await write(Buffer.concat([MAGIC, lengths, headerBytes, bytesOf(sizes)]))
    for (const table of tables) {
      let slice: Buffer[] = []
      let sliced = 0
      for (let segment = 0; segment < SEGMENTS; segment++) {
        const bytes = bytesOf(table.take(segment))
        slice.push(bytes)
        sliced += bytes.length
        if (sliced < SLICE_BYTES && segment < SEGMENTS - 1) continue
        await write(Buffer.concat(slice))
        slice = []
        sliced = 0
      }
    }
    const end = Buffer.alloc(4)
    end.writeUInt32LE(crc, 0)
    await write(end)
    await file.sync()
    // What it refers to must be there before it is.
    await details.sync()
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
  await rename(unfinished, join(dir, name))
  syncDir(dir)
  const [, ...older] = newestFirst(dir)
  for (const one of older.slice(KEPT - 1)) rmSync(join(dir, one))
  details.removeOthers([...header.files, ...older.slice(0, KEPT - 1).flatMap((one) => filesOf(join(dir, one)))])
  return size
}

function loadOne(path: string, { refuse, places, unitsPerFile }: SnapshotOptions): Loaded {
  const fd = openSync(path, 'r')
  try {
    const size = fstatSync(fd).size
    let [at, crc] = [0, 0]
    const read = <T extends Uint8Array>(bytes: T): T => {
      for (let done = 0; done < bytes.length;) {
        const got = readSync(fd, bytes, done, bytes.length - done, at + done)
        if (got === 0) throw new Error('ends too early')
        done += got
      }
      at += bytes.length
      crc = crc32(bytes, crc)
      return bytes
    }
    const header = readHeader(size, read)
    const sizesBytes = read(new Uint8Array(SIZES_BYTES))
    const sizes = new Uint32Array(sizesBytes.buffer)
    let expected = at + 4
    for (let n = 1; n < sizes.length; n += 2) expected += sizes[n]! * 4
    if (expected !== size) throw new Error(`has ${size} bytes instead of ${expected}`)

    if (header.tallies.digests.length !== places) throw new Error('is of other topics')
    const refused = refuse(header.places)
    if (refused !== undefined) throw new Error(refused)
    const holdings = new Holdings(new Details(join(path, '..'), header.files, unitsPerFile), places, header.tallies)
    try {
      const tables: SegmentedTable[] = [holdings.subjects.table, holdings.records.table]
      for (const [n, table] of tables.entries()) {
        for (let segment = 0; segment < SEGMENTS; segment++) {
          const size = (n * SEGMENTS + segment) * 2
          const words = new Uint32Array(sizes[size + 1]!)
          read(new Uint8Array(words.buffer))
          table.restore(segment, sizes[size]!, words)
        }
      }
      const found = crc
      if (Buffer.from(read(new Uint8Array(4))).readUInt32LE(0) !== found) throw new Error('the checksum does not fit')
      return { holdings, places: header.places, state: header.state }
    } catch (error) {
      holdings[Symbol.dispose]()
      throw error
    }
  } finally {
    closeSync(fd)
  }
}

function readHeader(size: number, read: <T extends Uint8Array>(bytes: T) => T): Header {
  const head = read(Buffer.alloc(16))
  if (!head.subarray(0, 8).equals(MAGIC)) throw new Error('is no snapshot of this kind')
  const length = head.readUInt32LE(8)
  if (length > Math.min(size, MAX_HEADER_BYTES)) throw new Error(`has a header of ${length} bytes`)
  return JSON.parse(read(Buffer.alloc(length)).toString('utf8')) as Header
}

/** The files of the details that a kept snapshot needs; none when it cannot be read, and then it cannot be used either. */
function filesOf(path: string): readonly DetailsFile[] {
  const fd = openSync(path, 'r')
  try {
    let at = 0
    return readHeader(fstatSync(fd).size, (bytes) => {
      if (readSync(fd, bytes, 0, bytes.length, at) !== bytes.length) throw new Error('ends too early')
      at += bytes.length
      return bytes
    }).files
  } catch {
    return []
  } finally {
    closeSync(fd)
  }
}

function newestFirst(dir: string): string[] {
  return readdirSync(dir).filter((name) => NAME.test(name)).sort().reverse()
}

function bytesOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength)
}

function syncDir(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
