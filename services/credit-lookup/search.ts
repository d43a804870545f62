import type { Codec } from '@hub/runtime/codec'
import { show, stateOf } from '@hub/schemas/visibility'
import { decoded } from './decoded.ts'
import { keyOfSubject } from './key.ts'

/** A firm that a name may mean: to be asked for by its code or registration number. */
export interface Candidate {
  readonly name: string
  readonly uscc: string | null
  readonly regNo: string | null
  readonly division: string | null
}

/** Who is a natural person in law: found by code only. */
const PERSONS = new Set<unknown>(['individual', 'sole-trader'])
/** Second character of the code of a sole trader whose kind the source does not say. */
const SOLE_TRADER = '92'
export const MOST_CANDIDATES = 20

/**
 * The firms among current records of a name, each once; what the public may see alone, whoever asks. No verdict: a firm that is not among them may be listed under
 * another name, and one that is may have a penalty alone.
 * @param today see `show`
 */
export async function candidatesOf(codec: Codec, bodies: readonly Buffer[], today: number): Promise<{ candidates: Candidate[]; more: boolean }> {
  const found = new Map<string, Candidate>()
  for (const body of bodies) {
    const { contract, record } = await decoded(codec, body)
    const shown = show(contract, record, { kind: 'public' }, today)
    if (shown.show !== 'record' || stateOf(contract, record, today) !== 'published') continue
    const { name, uscc, regNo, division, entityType } = shown.json['subject'] as Record<'name' | 'uscc' | 'regNo' | 'division' | 'entityType', string | null | undefined>
    const key = keyOfSubject(uscc, regNo)
    if (typeof name !== 'string' || key === undefined || PERSONS.has(entityType) || key.startsWith(SOLE_TRADER)) continue
    if (!found.has(key)) found.set(key, { name, uscc: uscc ?? null, regNo: regNo ?? null, division: division ?? null })
  }
  const candidates = [...found.values()]
  return { candidates: candidates.slice(0, MOST_CANDIDATES), more: candidates.length > MOST_CANDIDATES }
}
