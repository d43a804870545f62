import Table from 'cli-table3'

/** Where a command's words go. Results on standard output; notes and progress on standard error, and not at all with `--json`. */
export interface Output {
  readonly json: boolean
  /** The result: the value with `--json`, else the text. */
  result(value: unknown, text: () => string): void
  note(zh: string, en: string): void
}

export function createOutput(json: boolean, write: (text: string) => void, writeError: (text: string) => void): Output {
  return {
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
