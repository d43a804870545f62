import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, fsync, ftruncateSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DetailsDamaged, type Entry, HEAD_BYTES, MAX_ENTRY_BYTES, type NewEntry, readBody, readHead, UNIT, unitsOf, writeEntry } from './entry.ts'

/** 256 MiB: small enough to be rewritten in passing. A power of two, so that references and headers never meet. */
const UNITS_PER_FILE = 2 ** 24
const MAGIC = Buffer.from('YRDCRED1', 'latin1')
const HEADER_BYTES = 2 * UNIT
/** Most entries are shorter, and come with one read. */
const FIRST_READ = 1024
const NAME = /^details-(\d{4})-([0-9a-f]{32})$/

/** One file of the details as a snapshot remembers it. Units of 16 bytes; `dead` of them hold what nothing refers to any more. */
export interface DetailsFile {
  readonly slot: number
  readonly id: string
  readonly used: number
  readonly dead: number
}

interface OpenFile {
  readonly slot: number
  readonly id: string
  readonly fd: number
  used: number
  dead: number
  unsynced: boolean
}

const fsyncAsync = promisify(fsync)

/**
 * What is known of records and subjects, in append-only files that are read by position: entries of `entry.ts`, each with checksums. Reads are
 * synchronous: they come from the page cache, where waiting for another thread takes longer than the read. What is replaced is overwritten with zeros
 * at once, head excepted, and its room is won back when a file is rewritten. One process at a time owns a folder.
 */
export class Details implements Disposable {
  readonly #dir: string
  readonly #unitsPerFile: number
  /** By slot; the last one is written. */
  readonly #files = new Map<number, OpenFile>()
  #active: OpenFile | undefined

  /**
   * Opens the files of a snapshot, cut to the length they had then; none for new ones. Files that are not among them stay on the disk.
   * @throws DetailsDamaged when one is missing, shorter or another one
   */
  constructor(dir: string, files: readonly DetailsFile[] = [], unitsPerFile: number = UNITS_PER_FILE) {
    this.#dir = dir
    this.#unitsPerFile = unitsPerFile
    try {
      for (const file of files) this.#open(file)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** The files as they are now. */
  get files(): DetailsFile[] {
    return [...this.#files.values()].map(({ slot, id, used, dead }) => ({ slot, id, used, dead }))
  }

  /** Bytes on the disk, and those of them that are dead. */
  get bytes(): { readonly used: number; readonly dead: number } {
    let [used, dead] = [0, 0]
    for (const file of this.#files.values()) [used, dead] = [used + file.used * UNIT, dead + file.dead * UNIT]
    return { used, dead }
  }

  /** @returns its reference. @throws RangeError for one that is too long; the file system's error when it cannot be written */
  append(entry: NewEntry): number {
    const units = unitsOf(entry)
    if (units * UNIT > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${units * UNIT} bytes is longer than ${MAX_ENTRY_BYTES}`)
    const file = this.#active !== undefined && this.#active.used + units <= this.#unitsPerFile ? this.#active : this.#create()
    const reference = file.slot * this.#unitsPerFile + file.used
    writeAll(file.fd, writeEntry(entry, reference), file.used * UNIT)
    file.used += units
    file.unsynced = true
    return reference
  }

  /** @throws DetailsDamaged */
  read(reference: number): Entry & { readonly body: Buffer } {
    const { file, bytes } = this.#bytesAt(reference)
    const head = readHead(bytes, reference)
    const length = head.bodyAt + head.bodyLength
    if (length <= bytes.length) return { ...head, body: readBody(head, bytes) }
    const whole = Buffer.allocUnsafe(length)
    if (readSync(file.fd, whole, 0, length, this.#position(reference)) !== length) throw new DetailsDamaged(reference, 'ends too early')
    return { ...head, body: readBody(head, whole) }
  }

  /** Without its body, which may be wiped. @throws DetailsDamaged */
  head(reference: number): Entry {
    return readHead(this.#bytesAt(reference).bytes, reference)
  }

  /** Counts an entry that nothing refers to any more. A snapshot may: it stays as it is. */
  release({ reference, units }: Entry): void {
    this.#fileOf(reference).dead += units
  }

  /** Overwrites the body of an entry whose record has a newer version: whoever starts from a snapshot that refers to it reads that version from the log. */
  wipe({ reference, bodyAt, bodyLength }: Entry): void {
    const file = this.#fileOf(reference)
    const position = this.#position(reference)
    file.unsynced = true
    // The mark first: a body of zeros without it would look damaged.
    writeAll(file.fd, WIPED, position)
    if (bodyLength > 0) writeAll(file.fd, Buffer.alloc(bodyLength), position + bodyAt)
  }

  /** A full file more than half of which is dead, the worst first. */
  get wasteful(): DetailsFile | undefined {
    return this.files.filter(({ slot, used, dead }) => slot !== this.#active?.slot && dead * 2 > used).sort((a, b) => b.dead - a.dead)[0]
  }

  /** The references of a file's entries from one on, in order; `undefined` begins. @throws DetailsDamaged */
  next(slot: number, after: Entry | undefined): number | undefined {
    const file = this.#files.get(slot)!
    const reference = after === undefined ? slot * this.#unitsPerFile + HEADER_BYTES / UNIT : after.reference + after.units
    return reference - slot * this.#unitsPerFile < file.used ? reference : undefined
  }

  /** Lets go of a file that nothing refers to any more. It stays on the disk for the snapshots that do: see `removeOthers`. */
  retire(slot: number): void {
    const file = this.#files.get(slot)
    if (file === undefined) return
    this.#files.delete(slot)
    closeSync(file.fd)
  }

  /** Removes every file of the folder that is neither open nor one of `kept`. */
  removeOthers(kept: readonly DetailsFile[]): void {
    const names = new Set([...this.files, ...kept].map(nameOf))
    for (const name of readdirSync(this.#dir)) if (NAME.test(name) && !names.has(name)) rmSync(join(this.#dir, name))
  }

  /** On the disk is then what was written before the call. */
  async sync(): Promise<void> {
    for (const file of [...this.#files.values()]) {
      if (!file.unsynced) continue
      file.unsynced = false
      try {
        await fsyncAsync(file.fd)
      } catch (error) {
        file.unsynced = true
        throw error
      }
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#files.values()) closeSync(fd)
    this.#files.clear()
    this.#active = undefined
  }

  #bytesAt(reference: number): { file: OpenFile; bytes: Buffer } {
    const file = this.#fileOf(reference)
    const bytes = Buffer.allocUnsafe(FIRST_READ)
    const read = readSync(file.fd, bytes, 0, FIRST_READ, this.#position(reference))
    return { file, bytes: read === FIRST_READ ? bytes : bytes.subarray(0, read) }
  }

  #fileOf(reference: number): OpenFile {
    const file = this.#files.get(Math.floor(reference / this.#unitsPerFile))
    if (file === undefined || (reference % this.#unitsPerFile) + HEAD_BYTES / UNIT > file.used) throw new DetailsDamaged(reference, 'is in no file')
    return file
  }

  #position(reference: number): number {
    return (reference % this.#unitsPerFile) * UNIT
  }

  #create(): OpenFile {
    const taken = new Set(readdirSync(this.#dir).map((name) => Number(NAME.exec(name)?.[1] ?? -1)))
    let slot = 0
    while (taken.has(slot)) slot++
    const id = randomBytes(16).toString('hex')
    const fd = openSync(join(this.#dir, nameOf({ slot, id })), 'wx+')
    const file: OpenFile = { slot, id, fd, used: HEADER_BYTES / UNIT, dead: 0, unsynced: true }
    try {
      writeAll(fd, headerOf(file), 0)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    this.#files.set(slot, file)
    return this.#active = file
  }

  #open({ slot, id, used, dead }: DetailsFile): void {
    const name = nameOf({ slot, id })
    let fd: number
    try {
      fd = openSync(join(this.#dir, name), 'r+')
    } catch (error) {
      throw new DetailsDamaged(slot * this.#unitsPerFile, `${name} cannot be opened`, error)
    }
    // Kept before it is looked at, so that it is closed whatever is wrong with it.
    const file = { slot, id, fd, used, dead, unsynced: false }
    this.#files.set(slot, file)
    const header = Buffer.alloc(HEADER_BYTES)
    readSync(fd, header, 0, HEADER_BYTES, 0)
    if (!header.equals(headerOf(file))) throw new DetailsDamaged(slot * this.#unitsPerFile, `${name} is another file`)
    if (fstatSync(fd).size < used * UNIT) throw new DetailsDamaged(slot * this.#unitsPerFile, `${name} is shorter than it was`)
    ftruncateSync(fd, used * UNIT)
    this.#active = file
  }
}

const WIPED = Buffer.from([1])

function nameOf({ slot, id }: { readonly slot: number; readonly id: string }): string {
  return `details-${slot.toString().padStart(4, '0')}-${id}`
}

function headerOf({ slot, id }: { readonly slot: number; readonly id: string }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.write(id, 8, 'hex')
  header.writeUInt32LE(slot, 24)
  return header
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}
