import type { Text } from '@hub/schemas/codes'
import { BOUNDS } from './readers/bounds.ts'
import { delimiterOf, readCsv, type Delimiter } from './readers/csv.ts'
import { FileProblem } from './readers/file-problem.ts'
import { cellAt, readLines } from './readers/lines.ts'
import { readPages } from './readers/pages.ts'
import { assign, headerOf, type RawRow } from './readers/table.ts'
import { encodingOf, withHead, type Encoding } from './readers/text.ts'
import { isWorkbook, readWorkbook } from './readers/xlsx.ts'
import type { Shape } from './shape.ts'
import { SHAPES } from './shapes/index.ts'

/** What a file seems to be. Column names of an unknown file may be data: they are for the person who imports, and are not stored. */
export type Recognition = {
  readonly reason: Text
  readonly encoding?: Encoding
  readonly delimiter?: Delimiter
} & (
  | { readonly shape: Shape, readonly columns: readonly Mapped[], readonly unmapped: readonly string[] }
  | { readonly shape?: undefined, readonly nearest?: Nearest }
)

/** A column of the file and the field it is read as. */
export interface Mapped {
  readonly field: string
  readonly column: string
}

/** The shape that came closest, what it misses, and what the file has instead. */
export interface Nearest {
  readonly shape: Shape
  /** Per missing field the names it is known by. */
  readonly missing: readonly (readonly [field: string, names: readonly string[]])[]
  readonly unmapped: readonly string[]
}

const SENTENCES = /^\s*1\s*[、.．].*(?:不合格|不符合)/m
const CODE_TABLE = ['domain', 'local_code', 'national_code']
/** Yearly figures: a total says nothing of any record. */
const FIGURES = ['指标', '数值', '年度']
const MAX_SHOWN = 40

/**
 * Tells the shape of a file by its content, never by its name: the first object of JSON, numbered sentences, or a header among the first rows of a table or of any visible
 * sheet. It reads no further than it must.
 */
export async function recognise(source: AsyncIterable<Uint8Array>): Promise<Recognition> {
  const chunks = withHead(source)
  try {
    const { value: head } = await chunks.next()
    if (head === undefined) throw new FileProblem('empty-file', '> 0 bytes')
    if (isWorkbook(head)) return await recogniseTable(readWorkbook(followed(head, chunks)), {})
    const encoding = encodingOf(head)
    const text = new TextDecoder(encoding).decode(head)
    const start = text.replace(/^[\ufeff\s]+/, '')[0]
    if (start === '{') return await recogniseJson(readLines(once(head)), 'lines', encoding)
    if (start === '[') return await recogniseJson(readPages(once(head)), 'pages', encoding)
    if (SENTENCES.test(text)) return { shape: SHAPES.find(({ format }) => format === 'sentences')!, columns: [], unmapped: [], encoding, reason: ['正文为逐条编号的抽检不合格句子', 'numbered sentences about failing samples'] }
    const delimiter = delimiterOf(text.split('\n', 1)[0]!)
    return await recogniseTable(readCsv(once(head), delimiter, encoding), { encoding, delimiter })
  } finally {
    await chunks.return(undefined)
  }
}

async function recogniseTable(pieces: AsyncIterable<readonly RawRow[]>, told: { encoding?: Encoding, delimiter?: Delimiter }): Promise<Recognition> {
  const tables = SHAPES.filter(({ format }) => format === 'table')
  let nearest: Nearest | undefined
  let best = 0
  const seen = new Map<string | undefined, number>()
  try {
    for await (const { sheet, row, cells } of each(pieces)) {
      const before = seen.get(sheet) ?? 0
      seen.set(sheet, before + 1)
      if (before >= BOUNDS.preambleRows) {
        if (sheet === undefined) break
        continue
      }
      if (CODE_TABLE.every((name) => cells.includes(name))) return { ...told, reason: ['这是代码对照表，不是事件来源：请放入 reference/codes', 'a table of codes, not a source of events: it belongs in reference/codes'] }
      if (FIGURES.every((name) => cells.includes(name))) return { ...told, reason: ['这是汇总统计数字，不是逐条的记录：不导入；沪苏浙皖（sh、js、zj、ah）以外地区的数据一概不接收', 'a table of totals and not of records: it is not imported; nothing is taken from outside the four regions sh, js, zj, ah'] }
      const fits = tables.flatMap((shape) => {
        const header = headerOf(cells, shape.required, shape)
        return header === undefined ? [] : [{ shape, header }]
      }).sort((a, b) => b.header.there.size - a.header.there.size)
      const [fit] = fits
      if (fit !== undefined) {
        const { shape, header } = fit
        const columns = Object.keys(shape.columns).flatMap((field, at) => (header.there.has(field) ? [{ field, column: header.names[at]! }] : []))
        const where = sheet === undefined ? `${row}` : `${sheet}!${row}`
        return {
          ...told, shape, columns, unmapped: shown(header.unknown),
          reason: [`第 ${where} 行是表头：${columns.length} 列已对应，${header.unknown.length} 列未识别`, `row ${where} is the header: ${columns.length} columns are known, ${header.unknown.length} are not`],
        }
      }
      for (const shape of tables) {
        const { columns, missing, unknown } = assign(cells, shape)
        const known = columns.filter((column) => column >= 0).length
        if (known > best) {
          best = known
          nearest = { shape, missing: missing.map((field) => [field, shape.columns[field]!]), unmapped: shown(unknown) }
        }
      }
    }
  } catch (error) {
    // Only the head was given: a quoted cell may end behind it.
    if (!(error instanceof FileProblem) || error.rule !== 'broken-quotes') throw error
  }
  return { ...told, ...(nearest !== undefined && { nearest }), reason: nearest === undefined ? ['没有一行像已知的表头', 'no row looks like a header that is known'] : adviceOf(nearest) }
}

/** How to make a file known: rename its columns, or teach the shape their names. */
function adviceOf({ shape, missing, unmapped }: Nearest): Text {
  const names = missing.map(([field, known]) => `${field}（${known.slice(0, 3).join('、')}）`).join('，')
  return [
    `最接近“${shape.title[0]}”，缺少：${names}；未识别的列：${unmapped.join('、') || '无'}。请改列名，或在 services/connectors/shapes/${shape.id}/index.ts 的 columns 中为该字段增加别名`,
    `closest to "${shape.title[1]}", without: ${names}; columns not known: ${unmapped.join(', ') || 'none'}. Rename the columns, or add their names to the field in services/connectors/shapes/${shape.id}/index.ts`,
  ]
}

async function recogniseJson(values: AsyncIterable<object>, format: 'lines' | 'pages', encoding: Encoding): Promise<Recognition> {
  for await (const one of values) {
    const value = format === 'lines' ? (one as { value?: object }).value : one
    if (value === undefined) continue
    for (const shape of SHAPES.filter((candidate) => candidate.format === format)) {
      const record = format === 'pages' ? shape.recordsOf!(value)[0]?.value : value
      const columns = Object.entries(shape.columns).flatMap(([field, names]) => names.filter((name) => record !== undefined && cellAt(record, name.split('.')) !== '').slice(0, 1).map((column) => ({ field, column })))
      const there = new Set(columns.map(({ field }) => field))
      if (shape.required.some((set) => set.every((field) => there.has(field)))) {
        return { shape, columns, unmapped: [], encoding, reason: [`第一条记录含 ${columns.slice(0, 4).map(({ column }) => column).join('、')} 等 ${columns.length} 项`, `the first record has ${columns.length} of its values`] }
      }
    }
    return { encoding, reason: ['JSON 的结构与任何已知来源不符', 'JSON of no structure that is known'] }
  }
  return { encoding, reason: ['没有可读的 JSON 记录', 'no JSON record can be read'] }
}

/** Names of columns, unless they look like data. */
function shown(names: readonly string[]): string[] {
  return names.map((name) => name.trim()).filter((name) => name.length <= MAX_SHOWN && !/\d{5}/.test(name))
}

async function* each<T>(pieces: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const piece of pieces) yield* piece
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function* followed(head: Uint8Array, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* chunks
}
