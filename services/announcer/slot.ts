import type { PublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Act, Bodies } from './acts.ts'
import { approvedBytes, recomputedBytes } from './edition/assemble.ts'
import type { Approved, Digests, Recomputed, Statement } from './edition/model.ts'

type ActOf<S extends Act['says']> = Extract<Act, { says: S }>
export type DraftAct = ActOf<'draft'>

/** Where an edition stands, as far as this replica has heard. */
export interface Slot {
  readonly edition: number
  /** The one that everybody signs. */
  readonly draft: DraftAct | undefined
  /** Signatures and approvals of it that hold, at most one of a region. */
  readonly recomputed: readonly Recomputed[]
  readonly approved: readonly Approved[]
  readonly dissents: readonly ActOf<'dissent'>[]
  readonly rejections: readonly ActOf<'rejected'>[]
  /** Signatures that do not hold, and why. */
  readonly faults: readonly { readonly region: Region; readonly says: string; readonly fault: string }[]
  readonly lacking: { readonly recomputed: readonly Region[]; readonly approved: readonly Region[] }
}

/**
 * Judges what regions said of one edition. The draft of the first region in the order of leads stands, of its drafts the last; a region's last approval is the
 * one it stands by, so that an edition without a region and the one with it are never both complete.
 * @param keys what each region has declared: a signature counts when it was made by a key of the region that says it
 */
export function slotOf(edition: number, all: readonly Act[], leads: readonly Region[], keys: Readonly<Partial<Record<Region, PublicKeys>>>): Slot {
  const acts = all.filter((act) => act.edition === edition)
  const draft = leads.map((region) => acts.findLast((act): act is DraftAct => act.says === 'draft' && act.region === region)).find((found) => found !== undefined)
  const of = <S extends Act['says']>(says: S): ActOf<S>[] => acts.filter((act): act is ActOf<S> => act.says === says)
  const faults: Slot['faults'][number][] = []
  if (draft === undefined) return { edition, draft, recomputed: [], approved: [], dissents: [], rejections: [], faults, lacking: { recomputed: [], approved: [] } }
  const { digests, statement } = draft.body
  const slot = { campaign: statement.campaign, year: statement.year, edition }

  const holds = (act: ActOf<'recomputed' | 'approved'>, bytes: Buffer): boolean => {
    const { kid, signature, at } = act.body
    const fault = keys[act.region] === undefined ? 'no-keys' : keys[act.region]!.check({ kid, signature: Buffer.from(signature, 'base64') }, bytes, Date.parse(at))
    if (fault !== undefined) faults.push({ region: act.region, says: act.says, fault })
    return fault === undefined
  }
  const recomputed = REGIONS.flatMap((region): Recomputed[] => {
    const found = of('recomputed').filter((act) => act.region === region && sameFigures(act.body.digests, digests)).find((act) => holds(act, recomputedBytes(slot, digests, { region, at: act.body.at })))
    return found === undefined ? [] : [{ region, at: found.body.at, kid: found.body.kid, signature: found.body.signature }]
  })
  const approved = REGIONS.flatMap((region): Approved[] => {
    const last = of('approved').findLast((act) => act.region === region)
    if (last === undefined || contentOf(last.body.digests) !== contentOf(digests)) return []
    const { approval, at, kid, signature } = last.body
    return holds(last, approvedBytes(slot, digests, { region, at, approval })) ? [{ region, approval, at, kid, signature }] : []
  })
  const needed = neededOf(statement)
  const without = (given: readonly { readonly region: Region }[]): Region[] => needed.filter((region) => !given.some((one) => one.region === region))
  return {
    edition, draft, recomputed, approved, faults,
    dissents: of('dissent').filter(({ region, body }) => body.aggregates === digests.aggregates && !recomputed.some((one) => one.region === region)),
    rejections: of('rejected').filter(({ region, body }) => contentOf(body.digests) === contentOf(digests) && !approved.some((one) => one.region === region)),
    lacking: { recomputed: without(recomputed), approved: without(approved) },
  }
}

/** True when nothing is lacking. */
export function isComplete({ draft, lacking }: Slot): boolean {
  return draft !== undefined && lacking.recomputed.length === 0 && lacking.approved.length === 0
}

/** What an approval is of, as one text. */
export function contentOf({ aggregates, annex, tips }: Digests): string {
  return `${aggregates} ${annex} ${tips}`
}

function sameFigures(a: Bodies['recomputed']['digests'], b: Digests): boolean {
  return a.aggregates === b.aggregates && a.annex === b.annex
}

function neededOf(statement: Statement): Region[] {
  return REGIONS.filter((region) => statement.regions[region]?.standing !== 'missing')
}
