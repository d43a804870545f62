import { Problem } from '@hub/runtime/http'
import type { Viewer } from '@hub/schemas/visibility'
import { setImmediate } from 'node:timers/promises'
import type { Moment } from './answer.ts'
import type { Lookup } from './lookup.ts'
import type { Question } from './question.ts'
import { ByteSink } from './wire/sink.ts'

export const MAX_CODES = 10_000
export const NDJSON = 'application/x-ndjson'
const HOLD_MS = 6
const PART_BYTES = 65_536
const LINE_END = Buffer.from('\n')
const ANSWER_END = Buffer.from('}\n')
/** Of what stands in a line that is no code, at most this much is looked at. */
const LONGEST_LINE = 256

/** The moment first, then a line for each code in its order, then how many of each verdict; in parts of about 64 KiB. */
export async function* answerLines(lookup: Lookup, questions: readonly Question[], byRegNo: ReadonlyMap<string, readonly string[]>, moment: Moment, viewer: Viewer): AsyncGenerator<Buffer> {
  const counts = { listed: 0, 'not-listed': 0, unknown: 0, wrong: 0 }
  const { at, cursor, asOf, incomplete } = moment
  const sink = new ByteSink()
  const line = (value: unknown): void => {
    sink.json(value)
    sink.raw(LINE_END)
  }
  line({ head: { at, cursor, asOf, incomplete } })
  let began = performance.now()
  for (const question of questions) {
    if (!question.ok) {
      counts.wrong++
      line({ problem: { code: 'CODE_WRONG', reason: question.reason, detail: question.text } })
    } else {
      const verdict = lookup.write(sink, question, moment, viewer)
      if (verdict === undefined) {
        const said = await lookup.ask(question, moment, viewer, byRegNo)
        counts[said.verdict]++
        line(said)
      } else {
        sink.raw(ANSWER_END)
        lookup.answered(verdict)
        counts[verdict]++
      }
    }
    if (sink.length < PART_BYTES && performance.now() - began < HOLD_MS) continue
    yield sink.take()
    await setImmediate()
    began = performance.now()
  }
  line({ summary: counts })
  yield sink.take()
}

/** The codes of a JSON body: a list of them, or `{"codes": […]}`. */
export function codesOf(body: unknown): string[] {
  const codes = Array.isArray(body) ? body as unknown[] : (body as { codes?: unknown } | null | undefined)?.codes
  if (!Array.isArray(codes) || !codes.every((code) => typeof code === 'string')) {
    throw new Problem(400, 'BATCH_WRONG', '请求体应为代码列表，或 {"codes": […]} · the body must be a list of codes, or {"codes": […]}', `Or ${NDJSON} with one code a line.`)
  }
  if (codes.length > MAX_CODES) throw tooMany()
  return codes
}

/** One code a line, as it is, as JSON text or as `{"code": …}`. */
export function codesIn(body: string): string[] {
  const codes: string[] = []
  for (const line of body.split('\n')) {
    const text = line.trim()
    if (text === '') continue
    codes.push(codeIn(text.slice(0, LONGEST_LINE)))
    if (codes.length > MAX_CODES) throw tooMany()
  }
  return codes
}

function codeIn(line: string): string {
  if (!line.startsWith('"') && !line.startsWith('{')) return line
  try {
    const value = JSON.parse(line) as string | { code?: unknown }
    const code = typeof value === 'string' ? value : value.code
    return typeof code === 'string' ? code : ''
  } catch {
    return ''
  }
}

function tooMany(): Problem {
  return new Problem(400, 'TOO_MANY_CODES', `一次最多查询 ${MAX_CODES} 个代码，请分批 · at most ${MAX_CODES} codes at once: send several batches`)
}
