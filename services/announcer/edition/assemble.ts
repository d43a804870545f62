import { REGIONS, type Region } from '@hub/schemas/streams'
import { canonicalJson, digestOf } from '../canonical.ts'
import { UNEDITED } from '../figures/rises.ts'
import { regionName } from '../region-name.ts'
import { annexDigest } from './annex.ts'
import { FORMAT, FORMAT_VERSION, type Annex, type Approved, type Digests, type Edition, type Recomputed, type Statement, type Tip } from './model.ts'
import { regionsIn } from './statement.ts'

export interface Content {
  readonly statement: Statement
  readonly annex: Annex
  readonly tips: readonly Tip[]
}

export function digestsOf({ statement, annex, tips }: Content): Digests {
  return { aggregates: digestOf(statement), annex: annexDigest(annex), tips: digestOf(tips) }
}

type Slot = Pick<Statement, 'campaign' | 'year' | 'edition'>

/** What a region signs when its own replica gives the same figures and rows. */
export function recomputedBytes({ campaign, year, edition }: Slot, { aggregates, annex }: Digests, { region, at }: Pick<Recomputed, 'region' | 'at'>): Buffer {
  return Buffer.from(canonicalJson({ says: `${FORMAT}/recomputed`, campaign, year, edition, aggregates, annex, region, at }))
}

/** What a region signs when its people approve. Tips that change afterwards need approving anew. */
export function approvedBytes({ campaign, year, edition }: Slot, { aggregates, annex, tips }: Digests, { region, at, approval }: Pick<Approved, 'region' | 'at' | 'approval'>): Buffer {
  return Buffer.from(canonicalJson({ says: `${FORMAT}/approved`, campaign, year, edition, aggregates, annex, tips, region, at, approval }))
}

/** Regions whose signature or approval an edition still lacks; every region that is in it gives both. */
export function lacking(content: Content, recomputed: readonly Recomputed[], approved: readonly Approved[]): { readonly recomputed: Region[], readonly approved: Region[] } {
  const needed = regionsIn(content.statement)
  const without = (given: readonly { readonly region: Region }[]) => needed.filter((region) => !given.some((one) => one.region === region))
  return { recomputed: without(recomputed), approved: without(approved) }
}

/**
 * The edition, and the bytes that whoever puts it together writes.
 * @param recomputed the first of each region, in any order; those of regions that are not in the edition are left out, as with `approved`
 * @throws RangeError while a signature or an approval is lacking, when a region gives two, or a tip is as it was drafted
 */
export function assembleEdition(content: Content, recomputed: readonly Recomputed[], approved: readonly Approved[]): { readonly edition: Edition, readonly bytes: Buffer } {
  const still = lacking(content, recomputed, approved)
  if (still.recomputed.length + still.approved.length > 0) {
    throw new RangeError(`尚缺复算签名：${listed(still.recomputed, 0)}；尚缺审核：${listed(still.approved, 0)} / lacking signatures: ${listed(still.recomputed, 1)}; approvals: ${listed(still.approved, 1)}`)
  }
  const { statement, annex, tips } = content
  if (tips.some(isUnedited)) throw new RangeError('有消费提示尚未编辑 / a tip has not been edited')
  const edition: Edition = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    statement,
    annex,
    tips,
    digests: digestsOf(content),
    recomputed: inOrder(statement, recomputed),
    approved: inOrder(statement, approved),
  }
  return { edition, bytes: editionBytes(edition) }
}

/** Whether a tip still is what the rises drafted: people write tips. */
export function isUnedited({ zh }: Tip): boolean {
  return zh.includes(UNEDITED)
}

/** The file: canonical JSON. */
export function editionBytes(edition: Edition): Buffer {
  return Buffer.from(canonicalJson(edition))
}

function inOrder<T extends { readonly region: Region }>(statement: Statement, given: readonly T[]): T[] {
  const present = regionsIn(statement)
  const chosen = given.filter(({ region }) => present.includes(region)).toSorted((a, b) => REGIONS.indexOf(a.region) - REGIONS.indexOf(b.region))
  const twice = chosen.find(({ region }, at) => chosen[at - 1]?.region === region)
  if (twice !== undefined) throw new RangeError(`${regionName(twice.region)[0]}重复签署 / two of ${regionName(twice.region)[1]}: an edition has one of each region`)
  return chosen
}

function listed(regions: readonly Region[], language: 0 | 1): string {
  return regions.map((region) => regionName(region)[language]).join(language === 0 ? '、' : ', ') || ['无', 'none'][language]!
}
