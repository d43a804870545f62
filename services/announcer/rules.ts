import type { Text } from '@hub/schemas/codes'
import { readFileSync } from 'node:fs'
import type { Day } from './calendar/day.ts'

/** Terms of the law that an announcement needs (domain 3.2), each since a date: a change of the law does not rewrite the past. */
export type RuleId = 'CMP.ACCEPT' | 'CMP.MEDIATE' | 'CMP.PUBLISH_TERM'

interface RuleVersion {
  readonly version: number
  readonly from: Day
  readonly term?: number
  readonly unit?: 'workday' | 'year'
  /** Why it gives no answer. */
  readonly unverified?: Text
  readonly basis: string
}

/** What a rule says on a day; `ref` travels with everything computed from it. */
export type RuleAnswer =
  | { readonly ref: string, readonly term: number, readonly unit: 'workday' | 'year', readonly basis: string }
  | { readonly ref: string, readonly term: null, readonly why: Text, readonly basis: string }

const RULES = JSON.parse(readFileSync(new URL('rules.json', import.meta.url), 'utf8')) as readonly { readonly id: RuleId, readonly versions: readonly RuleVersion[] }[]

/** The term in force on the day of the trigger. A rule that is not verified, or not in force yet, gives no term and says why. */
export function ruleOn(id: RuleId, day: Day): RuleAnswer {
  const rule = RULES.find((one) => one.id === id)!
  const version = rule.versions.findLast(({ from }) => from <= day)
  if (version === undefined) return { ref: id, term: null, why: [`${day}尚无此规则`, `there is no such rule on ${day}`], basis: rule.versions[0]!.basis }
  const ref = `${id}@${version.version}`
  if (version.term === undefined || version.unit === undefined) return { ref, term: null, why: version.unverified!, basis: version.basis }
  return { ref, term: version.term, unit: version.unit, basis: version.basis }
}
