import { configure, Uint8ArrayReader, ZipReader, type Entry, type FileEntry } from '@zip.js/zip.js'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import type { RawRow } from './table.ts'
import { readSheet, type Book, type Merge } from './sheet.ts'
import { columnIndex, local, xmlParser } from './xml.ts'

// Inflating in this thread: an import already runs in one of its own.
configure({ useWebWorkers: false })

const ZIP = [0x50, 0x4b, 0x03, 0x04]
const COMPOUND = [0xd0, 0xcf, 0x11, 0xe0]
const ENCRYPTED = Buffer.from('EncryptedPackage', 'utf16le')

export function isWorkbook(head: Uint8Array): boolean {
  return begins(head, ZIP) || begins(head, COMPOUND)
}

/**
 * Rows of a workbook's visible sheets, in its order, with the numbers the office program shows. A cell merged over several rows stands in each of them. The packed file is
 * held in memory; sheets are unpacked as they are read.
 */
export async function* readWorkbook(source: AsyncIterable<Uint8Array>): AsyncGenerator<readonly RawRow[]> {
  const bytes = await collect(source)
  if (begins(bytes, COMPOUND)) throw bytes.includes(ENCRYPTED) ? new FileProblem('protected-workbook', '.xlsx') : new FileProblem('unknown-encoding', '.xls → .xlsx, .csv')
  const parts = await partsOf(bytes)
  const workbook = await elements(parts, 'xl/workbook.xml', ['sheet', 'workbookPr'])
  const targets = new Map((await elements(parts, 'xl/_rels/workbook.xml.rels', ['Relationship'])).map(({ attributes }) => [attributes['Id'], partName(attributes['Target'] ?? '')]))
  const book: Book = {
    strings: parts.has('xl/sharedStrings.xml') ? await sharedStrings(parts) : [],
    dateStyles: parts.has('xl/styles.xml') ? dateStyles(await elements(parts, 'xl/styles.xml', ['numFmt', 'cellXfs', 'xf'])) : new Set(),
    since1904: workbook.some(({ name, attributes }) => name === 'workbookPr' && /^(?:1|true)$/.test(attributes['date1904'] ?? '')),
  }
  for (const { name, attributes } of workbook) {
    if (name !== 'sheet' || (attributes['state'] ?? 'visible') !== 'visible') continue
    const part = targets.get(attributes['r:id'])
    if (part === undefined || !parts.has(part)) throw new FileProblem('broken-workbook', '.xlsx', { sheet: attributes['name'] })
    const sheet = attributes['name']!
    const merges = await mergesOf(parts, part)
    yield* readSheet(sheet, textOf(parts, part), book, merges)
  }
}

type Parts = ReadonlyMap<string, FileEntry>
interface Element { readonly name: string, readonly attributes: Readonly<Record<string, string>> }

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > BOUNDS.workbookBytes) throw new FileProblem('too-large', `≤ ${BOUNDS.workbookBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function partsOf(bytes: Uint8Array): Promise<Parts> {
  let entries: Entry[]
  try {
    entries = await new ZipReader(new Uint8ArrayReader(bytes)).getEntries()
  } catch {
    throw new FileProblem('broken-workbook', '.xlsx')
  }
  const files = entries.filter((entry) => !entry.directory) as FileEntry[]
  let unpacked = 0
  for (const { encrypted, uncompressedSize, compressedSize } of files) {
    if (encrypted) throw new FileProblem('protected-workbook', '.xlsx')
    unpacked += uncompressedSize
    if (unpacked > BOUNDS.unpackedBytes || uncompressedSize > BOUNDS.expansion * Math.max(compressedSize, 1024)) throw new FileProblem('zip-bomb', `≤ ${BOUNDS.expansion} : 1`)
  }
  return new Map(files.map((entry) => [entry.filename, entry]))
}

/** The text of a part as it is unpacked; more than the archive said stops it. */
async function* textOf(parts: Parts, name: string): AsyncGenerator<string> {
  const entry = parts.get(name)
  if (entry === undefined) throw new FileProblem('broken-workbook', '.xlsx')
  let stream: TransformStreamDefaultController<Uint8Array> | undefined
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({ start(controller) { stream = controller } })
  const unpacking = entry.getData(writable, { checkSignature: true })
  // Data that cannot be inflated leaves the stream open: its reader would wait for ever.
  unpacking.catch((error) => stream!.error(error))
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  try {
    for await (const chunk of readable) {
      bytes += chunk.length
      if (bytes > entry.uncompressedSize) throw new FileProblem('zip-bomb', `≤ ${BOUNDS.expansion} : 1`)
      yield decoder.decode(chunk, { stream: true })
    }
    await unpacking
    yield decoder.decode()
  } catch (error) {
    throw error instanceof FileProblem ? error : new FileProblem('broken-workbook', '.xlsx')
  }
}

async function elements(parts: Parts, part: string, names: readonly string[]): Promise<Element[]> {
  const found: Element[] = []
  const parser = xmlParser()
  parser.onopentag = ({ name, attributes }) => {
    if (names.includes(local(name))) found.push({ name: local(name), attributes: attributes as Record<string, string> })
  }
  for await (const text of textOf(parts, part)) parser.write(text)
  return found
}

async function sharedStrings(parts: Parts): Promise<string[]> {
  const strings: string[] = []
  let text = ''
  let inText = false
  let phonetic = false
  const parser = xmlParser()
  parser.onopentag = ({ name }) => {
    switch (local(name)) {
      case 'si': text = ''; break
      case 't': inText = true; break
      case 'rPh': phonetic = true; break
    }
  }
  parser.ontext = (part) => { if (inText && !phonetic && text.length <= BOUNDS.cellLength) text += part }
  parser.onclosetag = (name) => {
    switch (local(name)) {
      case 'si': strings.push(text); break
      case 't': inText = false; break
      case 'rPh': phonetic = false; break
    }
  }
  for await (const chunk of textOf(parts, 'xl/sharedStrings.xml')) parser.write(chunk)
  return strings
}

/** Styles that show a number as a date: the built-in ones of ECMA-376 18.8.30 and those whose own format names a day or a year. */
function dateStyles(styles: readonly Element[]): Set<number> {
  const formats = new Set([14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58])
  for (const { name, attributes } of styles) if (name === 'numFmt' && /[yd]/i.test((attributes['formatCode'] ?? '').replace(/"[^"]*"|\[[^\]]*\]|\\./g, ''))) formats.add(Number(attributes['numFmtId']))
  const start = styles.findIndex(({ name }) => name === 'cellXfs')
  const cells = styles.slice(start + 1).filter(({ name }) => name === 'xf').slice(0, Number(styles[start]?.attributes['count'] ?? Infinity))
  return new Set(cells.flatMap(({ attributes }, at) => (formats.has(Number(attributes['numFmtId'])) ? [at] : [])))
}

const MERGE = /<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"/g

/** Cells merged over several rows. A sheet names them after its rows, so it is looked through once before. */
async function mergesOf(parts: Parts, part: string): Promise<Merge[]> {
  const merges: Merge[] = []
  let tail = ''
  for await (const chunk of textOf(parts, part)) {
    const text = tail + chunk
    for (const [, column, from, , to] of text.matchAll(MERGE)) if (from !== to) merges.push({ column: columnIndex(column!), from: Number(from), to: Number(to) })
    const open = text.lastIndexOf('<')
    tail = open < 0 || text.length - open > 200 || text.indexOf('>', open) >= 0 ? '' : text.slice(open)
  }
  return merges
}

function partName(target: string): string {
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte)
}
