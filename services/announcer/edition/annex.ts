import { createHmac } from 'node:crypto'
import type { Plan } from '../campaigns.ts'
import { yearOf } from '../calendar/day.ts'
import { digestOf } from '../canonical.ts'
import { refOf } from '../figures/definitions.ts'
import type { TraderRow } from '../figures/model.ts'
import { sameDayOf, twelveMonthsBefore } from '../figures/windows.ts'
import { ruleOn } from '../rules.ts'
import { TRADER_CAVEATS } from './caveats.ts'
import { FORMAT, type Annex, type AnnexRow } from './model.ts'

/** Least number of accepted complaints that names a trader, unless the bureaus agree on another. */
export const LEAST_ACCEPTED = 10

/** The list before its rows are salted: what every region computes for itself. */
export interface TraderList extends Omit<Annex, 'rows'> {
  readonly traders: readonly TraderRow[]
}

/**
 * The list of traders of an announcement. Where no rule says how long a name may be published, none is.
 * @param traders with at least `minimum` accepted complaints in the twelve months before the publication, in the order of the list
 */
export function traderList(traders: readonly TraderRow[], plan: Plan, minimum: number = LEAST_ACCEPTED): TraderList {
  const rule = ruleOn('CMP.PUBLISH_TERM', plan.publishOn)
  const namesUntil = rule.term === null ? null : sameDayOf(yearOf(plan.publishOn) + rule.term, plan.publishOn)
  return {
    definition: refOf('traders'),
    window: twelveMonthsBefore(plan.publishOn),
    minimum,
    namesUntil,
    rule: rule.ref,
    caveats: rule.term === null ? [...TRADER_CAVEATS, rule.why] : TRADER_CAVEATS,
    traders: namesUntil === null ? [] : traders,
  }
}

/**
 * The salts of a draft, one per row, hex: HMAC-SHA-256 of the row's number under 32 random bytes (hex) that the lead draws. A draft carries those bytes alone,
 * however long the list is; an edition carries the salts of the rows it shows, from which nobody finds another one.
 */
export function saltsFrom(drawn: string): (row: number) => string {
  if (!/^[0-9a-f]{64}$/.test(drawn)) throw new RangeError('salts are made from 32 random bytes, in hex')
  const key = Buffer.from(drawn, 'hex')
  return (row) => createHmac('sha256', key).update(`${FORMAT}/row/${row}`).digest('hex')
}

/** The annex of a draft. @param saltOf 32 bytes, hex, for each row, counted from 0 */
export function annexOf({ traders, ...head }: TraderList, saltOf: (row: number) => string): Annex {
  return { ...head, rows: traders.map((trader, row) => salted(trader, saltOf(row))) }
}

/** SHA-256, hex, of what is signed: the commitments and what is said of the list, no name and no salt. */
export function annexDigest({ rows, ...head }: Annex): string {
  return digestOf({ ...head, rows: rows.map(({ commitment }) => commitment) })
}

/** Whether a row that is shown is the one that was signed; a struck one shows nothing. */
export function opens({ commitment, salt, trader }: AnnexRow): boolean {
  return salt === null || trader === null ? salt === null && trader === null : salted(trader, salt).commitment === commitment
}

/** The annex without some of its names. Its digest stays, so signatures still hold; what was struck cannot be guessed, for its salt is gone too. */
export function struck(annex: Annex, which: (trader: TraderRow) => boolean): Annex {
  return { ...annex, rows: annex.rows.map((row) => (row.trader !== null && which(row.trader) ? { commitment: row.commitment, salt: null, trader: null } : row)) }
}

function salted(trader: TraderRow, salt: string): AnnexRow {
  return { commitment: digestOf({ salt, trader }), salt, trader }
}
