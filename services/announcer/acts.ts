import { isRegion, type Region } from '@hub/schemas/streams'
import type { Digests, Statement, Tip } from './edition/model.ts'
import type { Disagreement } from './edition/disagreement.ts'
import type { WrittenCorrection } from './edition/corrections.ts'

/** What a region can do in an announcement; each body is the canonical JSON of one of these. */
export interface Bodies {
  /** Puts an edition together, for the others to recompute. The first in the order of leads stands, of one region's drafts the last. */
  readonly draft: DraftBody
  /** Its own replica gives the same. */
  readonly recomputed: { readonly digests: Omit<Digests, 'tips'>; readonly at: string; readonly kid: string; readonly signature: string }
  /** Its own replica does not: records that were not what the log makes of them, or numbers. */
  readonly dissent: { readonly aggregates: string; readonly records: readonly string[]; readonly disagreements: readonly Disagreement[]; readonly why: string }
  /** Two people of it agree. */
  readonly approved: { readonly digests: Digests; readonly approval: string; readonly at: string; readonly kid: string; readonly signature: string }
  readonly rejected: { readonly digests: Digests; readonly reason: string }
  /** What was wrong in its own first copy; amounts as decimal digits. */
  readonly correction: { readonly corrections: readonly WrittenCorrection[] }
  /** The edition before is to be taken back. */
  readonly retract: { readonly reason: string }
}

export interface DraftBody {
  /** Regions that the edition is without. */
  readonly missing: readonly Region[]
  /** Numbers of the correction acts that it takes in, region by region; empty in a first edition. */
  readonly corrections: readonly WrittenCorrection[]
  readonly retracts: boolean
  /** Random, 32 bytes, hex: what the salts of the list of traders are made from, however long it is. */
  readonly drawn: string
  readonly tips: readonly Tip[]
  readonly digests: Digests
  readonly statement: Statement
}

export type { WrittenCorrection }

export type Says = keyof Bodies

/** An act as this replica has it. */
export type Act = { [S in Says]: { readonly region: Region; readonly number: number; readonly edition: number; readonly at: Date; readonly says: S; readonly body: Bodies[S] } }[Says]

interface ActRow {
  readonly region: string
  readonly number: number
  readonly edition: number
  readonly at: Date
  readonly says: string
  readonly body: string
}

/** The act of a row; undefined for one that no announcer of these releases writes. */
export function readAct({ region, number, edition, at, says, body }: ActRow): Act | undefined {
  if (!isRegion(region) || !(says in FORMS)) return undefined
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  return FORMS[says as Says](value as never) ? { region, number, edition, at, says, body: value } as Act : undefined
}

const text = (value: unknown): boolean => typeof value === 'string'
const digest = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
const digests = (value: unknown): boolean => isObject(value) && ['aggregates', 'annex', 'tips'].every((part) => digest(value[part]))
const signed = (value: Record<string, unknown>): boolean => [value['at'], value['kid'], value['signature']].every(text)

/** What must be there for an act to be read at all. */
const FORMS: Readonly<Record<Says, (value: unknown) => boolean>> = {
  draft: (value) => isObject(value) && digests(value['digests']) && isObject(value['statement']) && Array.isArray(value['missing']) && value['missing'].every((one) => text(one) && isRegion(one as string))
    && Array.isArray(value['corrections']) && typeof value['retracts'] === 'boolean' && digest(value['drawn']) && Array.isArray(value['tips']) && value['tips'].every((tip) => isObject(tip) && text(tip['zh'])),
  recomputed: (value) => isObject(value) && isObject(value['digests']) && digest(value['digests']['aggregates']) && digest(value['digests']['annex']) && signed(value),
  dissent: (value) => isObject(value) && digest(value['aggregates']) && Array.isArray(value['records']) && Array.isArray(value['disagreements']) && text(value['why']),
  approved: (value) => isObject(value) && digests(value['digests']) && text(value['approval']) && signed(value),
  rejected: (value) => isObject(value) && digests(value['digests']) && text(value['reason']),
  correction: (value) => isObject(value) && Array.isArray(value['corrections']),
  retract: (value) => isObject(value) && text(value['reason']),
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
