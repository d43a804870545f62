import { createHmac } from 'node:crypto'
import { containsIdentity } from '@hub/schemas/identity'
import { given, isFormula } from './normalise/cell.ts'
import { entityTypeOf, readCode } from './normalise/code.ts'
import { dayOf, instantOf, isSentinelDate } from './normalise/date.ts'
import { fenOf } from './normalise/money.ts'
import { authorityOf, type Authority } from './reference/authorities.ts'
import type { Domain } from './reference/codes.ts'
import { BOUNDS } from './readers/bounds.ts'
import type { Context } from './context.ts'
import type { Place, RowFlag, RowProblem, RowRule } from './verdict.ts'

/** What no contract takes; tabs and line ends are let through. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Where the fields of a shape stand in a row, and what their columns are called. */
export interface Fields {
  readonly at: ReadonlyMap<string, number>
  /** As the file names them. */
  readonly names: readonly string[]
  /** Fields whose column is in this file; all, where left out. */
  readonly there?: ReadonlySet<string>
}

/** A code of the source with its national one; null = it has none. */
export interface MappedCode {
  readonly code: string | null
  readonly local: string
}

/** A firm as contracts have it. */
export interface Firm {
  readonly name?: string | undefined
  readonly uscc?: string | undefined
  readonly division?: string | undefined
  readonly entityType?: string | undefined
}

/**
 * One row while a shape reads it: only the shape's columns are in it, everything else stayed in the reader. Asking for a value notes what is wrong with it; a row
 * with a problem is refused, one with flags is not.
 */
export class Row {
  readonly place: Place
  readonly context: Context
  readonly today: string
  /** Rows above the header: titles, days of publication. */
  readonly preamble: readonly string[]
  readonly problems: RowProblem[] = []
  readonly flags: RowFlag[] = []
  readonly #cells: readonly string[]
  readonly #fields: Fields

  constructor(place: Place, cells: readonly string[], fields: Fields, context: Context, today: string, preamble: readonly string[] = []) {
    this.place = place
    this.context = context
    this.today = today
    this.preamble = preamble
    this.#cells = cells
    this.#fields = fields
    for (let at = 0; at < cells.length; at++) {
      if (cells[at]!.length > BOUNDS.cellLength) this.problems.push({ column: fields.names[at]!, rule: 'cell-too-long', expected: `≤ ${BOUNDS.cellLength}` })
      if (CONTROL.test(cells[at]!)) this.problems.push({ column: fields.names[at]!, rule: 'control-character', expected: '…' })
    }
  }

  /** All of it, by the shape's columns. */
  get cells(): { readonly names: readonly string[], readonly values: readonly string[] } {
    return { names: this.#fields.names, values: this.#cells }
  }

  refuse(rule: RowRule, field?: string, expected = ''): undefined {
    this.problems.push({ ...(field !== undefined && { column: this.#nameOf(field) }), rule, expected })
  }

  flag(flag: RowFlag): void {
    if (!this.flags.includes(flag)) this.flags.push(flag)
  }

  /** Whether the file has the column. */
  has(field: string): boolean {
    return this.#fields.there?.has(field) ?? true
  }

  /** The cell as it stands in the file; empty where the file has no such column. */
  raw(field: string): string {
    const at = this.#fields.at.get(field)
    if (at === undefined) throw new Error(`${field} is not a column of this shape`)
    return this.#cells[at] ?? ''
  }

  /** What the cell says, if anything. */
  text(field: string): string | undefined {
    return given(this.raw(field))
  }

  /** The same, of a cell that has to say something. */
  need(field: string): string | undefined {
    return this.text(field) === undefined ? this.refuse('required', field, '…') : this.label(field)
  }

  /** A text that is kept: no person's number is in it. */
  label(field: string): string | undefined {
    const text = this.text(field)
    return text !== undefined && containsIdentity(text, this.today) ? this.refuse('identity', field, '…') : text
  }

  /** A name or official wording: the same, and nothing that an office program would run. */
  words(field: string): string | undefined {
    const text = this.label(field)
    return text !== undefined && isFormula(this.raw(field)) ? this.refuse('formula', field, '≠ = + - @') : text
  }

  /** The same, of a cell that has to say something. */
  needWords(field: string): string | undefined {
    return this.text(field) === undefined ? this.refuse('required', field, '…') : this.words(field)
  }

  /** A time, RFC 3339 in Asia/Shanghai; one that does not exist is refused. */
  instant(field: string): string | undefined {
    const text = this.#dateText(field)
    return text === undefined ? undefined : instantOf(text) ?? this.refuse('date', field, 'YYYY-MM-DD hh:mm:ss')
  }

  /** A day, `YYYY-MM-DD`; one that does not exist is refused. */
  day(field: string): string | undefined {
    return this.instant(field)?.slice(0, 10)
  }

  needInstant(field: string): string | undefined {
    return this.#dateText(field) === undefined ? this.refuse('required', field, '…') : this.instant(field)
  }

  needDay(field: string): string | undefined {
    return this.needInstant(field)?.slice(0, 10)
  }

  /** A day that matters less: one that does not exist is left out and flagged. */
  someDay(field: string): string | undefined {
    const text = this.#dateText(field)
    if (text === undefined) return undefined
    const day = dayOf(text)
    if (day === undefined) this.flag('impossible-date')
    return day
  }

  /** An amount in fen; one that cannot be read is refused. */
  fen(field: string): number | undefined {
    const text = this.text(field)
    return text === undefined ? undefined : fenOf(text) ?? this.refuse('number', field, '1,234.56')
  }

  /** A code that only classifies: one without a national code is kept and flagged. */
  code(domain: Domain, field: string): MappedCode | undefined {
    const local = this.text(field)
    if (local === undefined) return undefined
    const code = this.context.codes[domain].get(local) ?? null
    if (code === null) this.flag('unmapped-code')
    return { code, local }
  }

  /** A code that decides what the row means: one that the table does not know is refused. */
  decisive(domain: Domain, field: string): string | undefined {
    const local = this.need(field)
    if (local === undefined) return undefined
    return this.context.codes[domain].get(local) ?? this.refuse('unknown-code', field, [...this.context.codes[domain].keys()].join(', '))
  }

  /** A firm by its name and code; a person's number in either, a masked or an unreadable code is left out and flagged. */
  firm(nameField: string, codeField: string, division: string | undefined): Firm | undefined {
    const named = this.text(nameField)
    const numbered = named !== undefined && containsIdentity(named, this.today)
    if (numbered) this.flag('identity-dropped')
    const name = numbered ? undefined : this.words(nameField)
    const text = this.text(codeField)
    if (name === undefined && text === undefined) return undefined
    let uscc: string | undefined
    if (text !== undefined) {
      const reading = readCode(text, this.today)
      if (reading.kind === 'uscc') {
        uscc = reading.code
        if (!reading.valid) this.flag('uscc-check-failed')
        if (reading.repaired) this.flag('uscc-repaired')
      } else this.flag(reading.kind === 'identity' ? 'identity-dropped' : 'uscc-left-out')
    }
    return { name, uscc, division, entityType: entityTypeOf(uscc) }
  }

  authority(field: string): Authority | undefined {
    const rawName = this.words(field)
    if (rawName === undefined) return undefined
    const authority = authorityOf(rawName)
    if (authority.code === undefined) this.flag('unknown-authority')
    return authority
  }

  /** A keyed hash in place of a number that must not be kept. */
  token(...parts: readonly string[]): string {
    return createHmac('sha256', this.context.key).update(JSON.stringify(parts)).digest('base64url')
  }

  #dateText(field: string): string | undefined {
    const text = this.text(field)
    return text === undefined || isSentinelDate(text) ? undefined : text
  }

  #nameOf(field: string): string {
    return this.#fields.names[this.#fields.at.get(field)!] ?? field
  }
}
