import { addWorkdays, type Calendar } from '../calendar/calendar.ts'
import { ruleOn } from '../rules.ts'
import type { MediationDue, Window } from './model.ts'

/** By when the last complaint of a window should have an outcome: accepted in time, then mediated in time. Readers see when the rate will be firm. */
export function mediationDue(calendar: Calendar, window: Window): MediationDue {
  const accept = ruleOn('CMP.ACCEPT', window.to)
  if (accept.term === null) return { day: null, unverified: [accept.ref], why: accept.why }
  const accepted = addWorkdays(calendar, window.to, accept.term)
  const mediate = ruleOn('CMP.MEDIATE', accepted.day)
  if (mediate.term === null) return { day: null, unverified: [mediate.ref], why: mediate.why }
  const ended = addWorkdays(calendar, accepted.day, mediate.term)
  return { day: ended.day, provisional: accepted.provisional || ended.provisional, rules: [accept.ref, mediate.ref], calendar: [...new Set([...accepted.calendar, ...ended.calendar])] }
}
