import type { Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'
import type { CampaignId } from '../campaigns.ts'
import type { Definition, DefinitionRef, Figures, TraderRow, Window } from '../figures/model.ts'

/** Of the file; another number means that readers have to learn something. */
export const FORMAT = 'cn.yrd.announcement.edition'
export const FORMAT_VERSION = 1

/**
 * What the regions publish together: a file that stands alone. It is a pure function of cut markers, signatures and approvals, written as
 * canonical JSON, so whoever puts it together writes the same bytes.
 */
export interface Edition {
  readonly format: typeof FORMAT
  readonly formatVersion: typeof FORMAT_VERSION
  /** The aggregates: permanent, none of it names anybody. */
  readonly statement: Statement
  /** The traders: names leave it when their term ends. */
  readonly annex: Annex
  /** Written by officers; covered by the approvals, not by the recomputation. */
  readonly tips: readonly Tip[]
  readonly digests: Digests
  /** One per region that recomputed the same figures from its own replica, in the order of the regions. */
  readonly recomputed: readonly Recomputed[]
  /** One per region that approved, in the order of the regions. */
  readonly approved: readonly Approved[]
}

/** SHA-256, hex, of the canonical JSON: of the statement, of the annex without names and salts, of the tips. */
export interface Digests {
  readonly aggregates: string
  readonly annex: string
  readonly tips: string
}

export type EditionKind = 'full' | 'partial' | 'erratum' | 'retracted'

export interface Statement {
  readonly campaign: CampaignId
  readonly year: number
  /** 1 for the first edition of a campaign, then one more each. */
  readonly edition: number
  readonly kind: EditionKind
  /** A demonstration: every rendering is marked 演示数据. */
  readonly demo: boolean
  /** Names the missing region where one is missing. */
  readonly title: Text
  readonly plan: StatedPlan
  readonly regions: Readonly<Record<Region, RegionStanding>>
  /** Where each partition was cut; what was parked below the cut is in no figure. */
  readonly basis: readonly CutPartition[]
  /** Every definition that a figure names, in the order of their ids. */
  readonly definitions: readonly Definition[]
  readonly caveats: readonly Text[]
  /** `null` in a retraction alone. */
  readonly figures: Figures | null
  readonly erratum: Erratum | null
}

export interface StatedPlan {
  readonly window: Window
  /** Instant of the cut, with offset: `2026-02-25T00:00:00+08:00`. */
  readonly cut: string
  readonly publishOn: string
  /** Versions of the year files that fixed the window, `2026.1`. */
  readonly calendar: readonly string[]
  /** Where the bureaus agreed on something else than the template: their reason. */
  readonly override: Text | null
}

/** How complete a region's figures are, by what its own markers say of its sources. */
export interface RegionStanding {
  readonly standing: 'complete' | 'incomplete' | 'missing'
  readonly sources: readonly SourceStanding[]
}

export interface SourceStanding {
  /** What stands before the slash of its record ids. */
  readonly source: string
  /** Office that answers for it. */
  readonly owner: string
  readonly complete: boolean
  /** Its last complete hand-over before the cut, instant with offset; `null` = none, or its first complete load is still on the way. */
  readonly lastHandOver: string | null
}

export interface CutPartition {
  readonly region: Region
  readonly topic: string
  readonly partition: number
  readonly generation: string
  /** Offset of the marker. */
  readonly offset: number
  readonly parked: number
  /** Digest of the parked set below the marker, hex. */
  readonly parkedDigest: string
}

/** Why an edition corrects an earlier one. What merely goes on (a complaint settled since) is no reason. */
export type CorrectionReason = 'wrong-trader' | 'voided' | 'wrong-definition' | 'region-returned'

export interface Erratum {
  readonly corrects: { readonly edition: number, readonly aggregates: string }
  readonly corrections: readonly StatedCorrection[]
  /** Every number that is another one now. */
  readonly changes: readonly Change[]
}

/** The records and cells behind it are told among the bureaus; the digest (SHA-256, hex) binds them. */
export interface StatedCorrection {
  readonly region: Region
  readonly reason: CorrectionReason
  readonly records: number
  readonly digest: string
}

export interface Change {
  /** `null` = the total. */
  readonly region: Region | null
  readonly definition: DefinitionRef
  /** Class, in tables of classes; what is compared, year on year. */
  readonly code: string | null
  /** As text: a count, an amount in fen, a ratio `47/67`. `null` = the region was missing, the number withheld, or the class did not occur. */
  readonly before: string | null
  readonly after: string | null
}

/** The list of traders. What is signed is the list of commitments; a name is struck by leaving out `trader` and `salt`. */
export interface Annex {
  readonly definition: DefinitionRef
  /** Twelve months to the cut. */
  readonly window: Window
  /** Least number of accepted complaints that names a trader. */
  readonly minimum: number
  /** Last day on which the names may be shown, by `rule`; `null` = no rule allows it, and there are no rows. */
  readonly namesUntil: string | null
  readonly rule: string
  readonly caveats: readonly Text[]
  /** Most accepted complaints first. */
  readonly rows: readonly AnnexRow[]
}

export interface AnnexRow {
  /** SHA-256, hex, of the canonical JSON of `{ salt, trader }`. */
  readonly commitment: string
  /** Random, 32 bytes, hex; `null` = struck. */
  readonly salt: string | null
  readonly trader: TraderRow | null
}

/** Advice to consumers. */
export interface Tip {
  readonly zh: string
  readonly en: string | null
}

/** The region's first signature of these digests. */
export interface Recomputed {
  readonly region: Region
  /** Instant, `2026-02-25T00:00:05+08:00` (`shanghaiTime`). */
  readonly at: string
  readonly kid: string
  /** Ed25519, base64, over `recomputedBytes`. */
  readonly signature: string
}

/** A named person of the region approved, and a second one looked; who they are stays with the bureaus. */
export interface Approved {
  readonly region: Region
  /** Number under which the region keeps who approved. */
  readonly approval: string
  /** Instant, `2026-02-25T00:00:05+08:00` (`shanghaiTime`). */
  readonly at: string
  readonly kid: string
  /** Ed25519, base64, over `approvedBytes`. */
  readonly signature: string
}
