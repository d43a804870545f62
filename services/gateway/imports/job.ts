import { createReadStream } from 'node:fs'
import { failpoint } from '@hub/runtime/failpoint'
import { FileProblem } from '@hub/connectors/readers/file-problem'
import { recognise, type Recognition } from '@hub/connectors/recognise'
import { SHAPES } from '@hub/connectors/shapes/index'
import { endAbsent, isCompleteList, NamedRecords } from './absence.ts'
import { repeated } from './figures.ts'
import { pass } from './pass.ts'
import type { Tools } from './tools.ts'
import { revert } from './revert.ts'
import { changeImport, countEvents, readImport, readSame, repeatTold, tellRows, type Change, type ImportRow } from './store.ts'

/** What recognising a file came to, in words: column names that nobody knows may be data, so it is for the one who imports and is not kept. */
export interface Told {
  readonly reason: readonly [zh: string, en: string]
  readonly unmapped: readonly string[]
}

/**
 * Does what is next for an import: recognises its shape and rehearses it, reads it in, or takes it back. Afterwards its row says how it stands. Where it was stopped
 * the row says `running` still, and the next process goes on.
 * @param mapping fingerprint of the rules by which files are read
 */
export async function work(tools: Tools, id: string, path: string, mapping: string, onRecognised: (told: Told) => void): Promise<void> {
  const { db } = tools
  const row = await readImport(db, id)
  if (row === undefined) return
  if (row.state === 'reverting') {
    if (await revert(tools, row)) await changeImport(db, id, { state: 'reverted', ended: true }, ['reverting'])
    return
  }
  await changeImport(db, id, { state: 'running', started: true }, ['received', 'running'])
  failpoint('import.begun')
  const end = row.shape === null ? await guess(tools, row, path, onRecognised) : await read(tools, row, path, mapping)
  failpoint('import.read')
  if (end !== undefined) await changeImport(db, id, end, ['running'])
}

async function guess(tools: Tools, row: ImportRow, path: string, onRecognised: (told: Told) => void): Promise<Change | undefined> {
  let recognition: Recognition
  try {
    recognition = await recognise(createReadStream(path))
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    await tellRows(tools.db, row.id, [{ place: { row: error.row, ...(error.sheet !== undefined && { sheet: error.sheet }) }, rows: 1, verdict: 'refused', flags: [], problems: `${error.rule}\t\t${error.expected}` }])
    return { state: 'failed', problem: error.rule, ended: true }
  }
  const { reason } = recognition
  onRecognised({ reason, unmapped: recognition.shape === undefined ? recognition.nearest?.unmapped ?? [] : recognition.unmapped })
  if (recognition.shape === undefined) return { state: 'failed', problem: 'unknown-shape', ended: true }
  const { shape, columns, delimiter } = recognition
  const known: Change = { shape: shape.id, recognised: { reason, columns }, ...(row.delimiter === null && delimiter !== undefined && delimiter !== ',' && { delimiter }) }
  const { end, figures, told } = await pass(tools, { ...row, delimiter: row.delimiter ?? delimiter ?? null }, shape, path)
  if (end === 'stopped') return undefined
  const problem = end === 'rehearsed-in-part' ? 'rehearsed-in-part' : null
  if (row.dryRun) {
    await tellRows(tools.db, row.id, told)
    return { ...known, state: 'done', figures, problem, ended: true }
  }
  return { ...known, state: 'waiting-confirmation', figures, problem }
}

async function read(tools: Tools, row: ImportRow, path: string, mapping: string): Promise<Change | undefined> {
  const { db } = tools
  const shape = SHAPES.find(({ id }) => id === row.shape)
  if (shape === undefined) return { state: 'failed', problem: 'unknown-shape', ended: true }
  const named = await isCompleteList(db, row.source, shape) ? new NamedRecords() : undefined
  // Of a complete list the same file says more than the first time when another came between.
  const same = row.dryRun || row.position > 0 || named !== undefined ? undefined : await readSame(db, row, mapping)
  if (same !== undefined) {
    await repeatTold(db, same.id, row.id)
    return { state: 'done', figures: repeated(same.figures), repeats: same.id, problem: null, ended: true }
  }
  const { end, figures, told } = await pass(tools, row, shape, path, named)
  if (end === 'stopped') return undefined
  if (row.dryRun) await tellRows(db, row.id, told)
  const absence = named === undefined || row.dryRun ? { absent: null, waits: false } : await endAbsent(tools, { ...row, figures }, shape, named)
  if (absence === undefined) return undefined
  const { absent, waits } = absence
  if (waits) return { state: 'waiting-confirmation', figures, problem: 'many-absent', absent }
  return { state: 'done', figures: { ...figures, events: row.dryRun ? 0 : await countEvents(db, row.id) }, mapping, absent, problem: end === 'rehearsed-in-part' ? end : null, ended: true }
}
