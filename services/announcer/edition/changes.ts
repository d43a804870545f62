import { REGIONS, type Region } from '@hub/schemas/streams'
import type { DefinitionRef, Figures, PerRegion, Ratio } from '../figures/model.ts'
import type { Change } from './model.ts'

/** Every number that differs between two sets of figures, in the order of the later one. */
export function changesBetween(before: Figures, after: Figures): Change[] {
  const [was, is] = [numbersOf(before), numbersOf(after)]
  return [...new Set([...is.keys(), ...was.keys()])]
    .filter((key) => (was.get(key)?.value ?? null) !== (is.get(key)?.value ?? null))
    .map((key) => {
      const { region, definition, code } = (is.get(key) ?? was.get(key))!
      return { region, definition, code, before: was.get(key)?.value ?? null, after: is.get(key)?.value ?? null }
    })
}

interface Numbered {
  readonly region: Region | null
  readonly definition: DefinitionRef
  readonly code: string | null
  readonly value: string | null
}

function numbersOf({ counts, online, goods, services, issues, mediation, yearOnYear }: Figures): Map<string, Numbered> {
  const numbers = new Map<string, Numbered>()
  const add = <T>(definition: DefinitionRef, code: string | null, values: PerRegion<T>, text: (value: T) => string | null) => {
    for (const place of [...REGIONS, 'total'] as const) {
      const value = values[place]
      numbers.set(JSON.stringify([definition, code, place]), { region: place === 'total' ? null : place, definition, code, value: value === null ? null : text(value) })
    }
  }
  for (const row of counts) add(row.definition, null, row.counts, String)
  add(online.definition, null, online.shares, (share) => `${share.online}/${share.stated}`)
  for (const table of [goods, services, issues]) for (const row of table.rows) add(table.definition, row.code ?? 'unclassified', row.counts, String)
  add(mediation.open, null, mediation.values, ({ open, accepted }) => `${open}/${accepted}`)
  add(mediation.success, null, mediation.values, ({ success }) => (success === null ? null : ratioText(success)))
  add(mediation.recovered, null, mediation.values, ({ recoveredFen }) => recoveredFen)
  for (const row of yearOnYear.rows) add(yearOnYear.definition, row.definition, row.values, ({ current, earlier }) => (earlier === null ? null : `${current}/${earlier}`))
  return numbers
}

function ratioText({ numerator, denominator }: Ratio): string {
  return `${numerator}/${denominator}`
}
