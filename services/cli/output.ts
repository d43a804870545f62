import Table from 'cli-table3'

/** Where a command's words go. Results on standard output; notes and progress on standard error, and not at all with `--json`. */
export interface Output {
  readonly json: boolean
  /** The result: the value with `--json`, else the text. */
  result(value: unknown, text: () => string): void
  note(zh: string, en: string): void
  /** How far something is, in one line that is written over; `total` left out = unknown. Without arguments the line ends. */
  progress(what?: string, done?: number, total?: number): void
}

const BAR = 24
const PROGRESS_MS = 200
/** Where nothing can be written over, a line now and then. */
const PLAIN_PROGRESS_MS = 3_000

export function createOutput(json: boolean, write: (text: string) => void, writeError: (text: string) => void, terminal = false): Output {
  let shown = performance.now()
  let open = false
  return {
    progress(what, done = 0, total) {
      if (json) return
      if (what === undefined) {
        if (open) writeError('\n')
        open = false
        return
      }
      if (performance.now() - shown < (terminal ? PROGRESS_MS : PLAIN_PROGRESS_MS)) return
      shown = performance.now()
      const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
      const bar = share === undefined ? '' : ` [${'#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.')}] ${Math.round(share * 100)} %`
      writeError(terminal ? `\r\u001b[K${what}${bar} ${done}` : `${what}${bar} ${done}\n`)
      open = terminal
    },
    json,
    result(value, text) {
      write(`${json ? toJson(value) : text()}\n`)
    },
    note(zh, en) {
      if (!json) writeError(`${both(zh, en)}\n`)
    },
  }
}

/** Chinese first, English beside it. */
export function both(zh: string, en: string): string {
  return `${zh} · ${en}`
}

/** JSON in which offsets and sequences (bigint) are decimal strings, as in the HTTP interface. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2)
}

type Cell = string | number | bigint | boolean | null | undefined

/** Columns of figures stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const made = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (rows.length > 0 && rows.every((row) => isFigure(row[column])) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ' },
  })
  made.push(...rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? '–' : String(cell)))))
  return made.toString()
}

function isFigure(cell: Cell): boolean {
  return typeof cell === 'number' || typeof cell === 'bigint' || cell === null || cell === undefined
}
