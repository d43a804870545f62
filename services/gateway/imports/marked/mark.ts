import { createReadStream } from 'node:fs'
import { convert, type RowResult } from '@hub/connectors/convert'
import { codesOf } from '@hub/connectors/reference/codes'
import { FileProblem } from '@hub/connectors/readers/file-problem'
import { recognise } from '@hub/connectors/recognise'
import { SHAPES } from '@hub/connectors/shapes/index'
import type { Shape } from '@hub/connectors/shape'
import { isDoubtful, ROW_FLAGS, SKIP_RULES, type Place } from '@hub/connectors/verdict'
import { writeWorkbook, type Cell } from '@hub/connectors/writers/workbook'
import { containsIdentity, isIdentityShaped } from '@hub/schemas/identity'
import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import type { RowVerdict } from '../figures.ts'
import { pass } from '../pass.ts'
import type { Tools } from '../tools.ts'
import { flagText, ruleText, VERDICT_NAMES } from '../report.ts'
import type { ImportRow } from '../store.ts'

/** Why there is no workbook: the code, and what to do, for the one who imports. */
export class CannotMark extends Error {
  readonly code: string
  readonly reason: readonly [zh: string, en: string]

  constructor(code: string, reason: readonly [zh: string, en: string]) {
    super(code)
    this.code = code
    this.reason = reason
  }
}

const HEADS = [['行号 · Row', 9], ['表 · Sheet', 12], ['结果 · Verdict', 16], ['说明 · What', 60]] as const
const COLUMN_WIDTH = 18
const LEFT_OUT = '（疑似身份证号码，未列出 · what may be an identity number: left out)'

/**
 * Rehearses a file and writes a workbook of its rows, each with its verdict and what to do beside, the offending cells marked. Only the columns that the shape reads are in it: who complains,
 * who handles it and texts are not, and no identity number. It is for the one who imports and is kept nowhere. The file is read twice, so that a row says what became of it in the end.
 * @throws CannotMark before anything is written
 */
export async function mark(tools: Tools, row: ImportRow, path: string, to: WritableStream<Uint8Array>): Promise<void> {
  const { shape, delimiter } = await shapeOf(row, path)
  const import_ = { ...row, delimiter: row.delimiter ?? delimiter ?? null }
  const verdicts = new Map<string, RowVerdict>()
  const { end } = await pass({ ...tools, onRow: (verdict) => void verdicts.set(keyOf(verdict.place), verdict) }, import_, shape, path)
  if (end === 'stopped') throw new Error('stopped')
  await writeWorkbook('导入结果', [...HEADS.map(([, width]) => width), ...Object.keys(shape.columns).map(() => COLUMN_WIDTH)], rows(), to)

  async function* rows(): AsyncGenerator<readonly Cell[]> {
    const now = row.received.getTime()
    const today = dateText(shanghaiDay(now))
    const context = { region: tools.preparing.region, source: row.source, now, key: tools.key, codes: codesOf(tools.preparing.region), file: row.file, keepCells: true }
    const declared = { ...(import_.encoding !== null && { encoding: import_.encoding }), ...(import_.delimiter !== null && { delimiter: import_.delimiter }) }
    let headed = false
    for await (const piece of convert(createReadStream(path, { highWaterMark: 256 * 1024 }), shape, context, declared)) {
      if (!headed) {
        const names = piece.find(({ cells }) => cells !== undefined)?.cells?.names ?? Object.values(shape.columns).map(([name]) => name!)
        yield [...HEADS.map(([text]) => text), ...names].map((text) => ({ text, look: 'head' as const }))
        headed = true
      }
      for (const result of piece) {
        const verdict = verdicts.get(keyOf(result.place))
        if (verdict === undefined) {
          yield [{ text: '' }, { text: '' }, { text: '' }, { text: ruleText('rehearsed-in-part').join(' · '), look: 'doubtful' }]
          return
        }
        yield rowOf(result, verdict, shape, today)
      }
    }
  }
}

async function shapeOf(row: ImportRow, path: string): Promise<{ shape: Shape, delimiter?: ImportRow['delimiter'] }> {
  if (row.shape !== null) return { shape: SHAPES.find(({ id }) => id === row.shape)! }
  try {
    const { shape, delimiter = null, reason } = { delimiter: undefined, ...await recognise(createReadStream(path)) }
    if (shape === undefined) throw new CannotMark('unknown-shape', [reason[0], reason[1]])
    return { shape, delimiter: delimiter === ',' ? null : delimiter }
  } catch (error) {
    if (error instanceof FileProblem) throw new CannotMark(error.rule, ruleText(error.rule))
    throw error
  }
}

function rowOf(result: RowResult, { place, rows, verdict, flags, problems, skip }: RowVerdict, shape: Shape, today: string): Cell[] {
  const refused = verdict === 'refused' || verdict === 'conflict'
  const look = refused ? 'refused' : verdict === 'waiting' || flags.some((flag) => isDoubtful(flag, shape.stream)) ? 'doubtful' : 'plain'
  const told = (problems?.split('\n') ?? []).map((line) => line.split('\t') as [rule: string, column: string, expected: string])
  const offending = new Set(told.map(([, column]) => column))
  const what = [
    ...told.map(([rule, column, expected]) => `${column === '' ? '' : `${column}：`}${ruleText(rule).join(' · ')}${expected === '' || expected === '…' ? '' : `（${expected}）`}`),
    ...flags.map((flag) => (flag in ROW_FLAGS ? flagText(flag).join(' · ') : flag)),
    ...(skip === undefined ? [] : [SKIP_RULES[skip].slice(0, 2).join(' · ')]),
    ...(rows > 1 ? [`此后 ${rows} 行未读取 · ${rows} rows from here on were not read`] : []),
  ]
  const { names = [], values = [] } = result.cells ?? {}
  return [
    { text: String(place.row), look }, { text: place.sheet ?? '', look }, { text: (VERDICT_NAMES[verdict] ?? [verdict, verdict]).join(' · '), look }, { text: what.join('\n'), look },
    ...values.map((text, at): Cell => ({ text: isIdentityShaped(text, today) || containsIdentity(text, today) ? LEFT_OUT : text, look: offending.has(names[at]!) ? 'offending' : 'plain' })),
  ]
}

function keyOf({ sheet, row }: Place): string {
  return `${sheet ?? ''}\t${row}`
}
