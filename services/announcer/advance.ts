import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import type { PublicKeys, Signer } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { randomBytes } from 'node:crypto'
import type { Act, DraftBody } from './acts.ts'
import type { Calendar } from './calendar/calendar.ts'
import { asPublished } from './campaigns.ts'
import { shanghaiTime } from './completeness.ts'
import { canonicalJson } from './canonical.ts'
import { faultOf } from './correct.ts'
import { annexOf, saltsFrom } from './edition/annex.ts'
import { assembleEdition, digestsOf, recomputedBytes, type Content } from './edition/assemble.ts'
import { stated } from './edition/corrections.ts'
import { disagreements } from './edition/disagreement.ts'
import type { Edition } from './edition/model.ts'
import { LEAST_REGIONS } from './edition/statement.ts'
import { writeMarkers } from './markers.ts'
import { sayApproved } from './approve.ts'
import { recompute, type Own, type Subject } from './recompute.ts'
import { isComplete, slotOf, type Slot } from './slot.ts'
import { readActs, say, type Speaker } from './store/acts.ts'
import { readFile, type Run, writeEdition } from './store/announcements.ts'
import { type CutRow, readCuts, regionsAtCut } from './store/cuts.ts'
import { askScrub, scrubResult } from './store/scrubs.ts'

/** A pass that found something is followed by another after this long. */
const SCRUB_AGAIN_MS = 5_000
/** Corrections of a draft that do not hold here may do so when what they rest on has come; this long it is waited for. */
const GRACE_MS = 30_000
/** What a region did not sign is computed again after this long. */
const LOOK_AGAIN_MS = 5_000

export interface Advancing extends Speaker {
  readonly calendar: Calendar
  readonly signer: Signer
  readonly keys: () => Promise<Readonly<Partial<Record<Region, PublicKeys>>>>
  readonly leads: readonly Region[]
  /** How long a lead may say nothing, and from the cut to the deadline; ms. */
  readonly silence: number
  readonly deadline: number
  /** When to look again at something that others or another pass must change first; by what it is. */
  readonly notBefore: Map<string, number>
  readonly log: Log
}

/** All that decides what is to be done now. */
export interface Standing {
  readonly run: Run
  readonly cuts: readonly CutRow[]
  readonly acts: readonly Act[]
  /** The newest published edition. */
  readonly published: Edition | undefined
  /** The edition that is being made, or would be. */
  readonly slot: Slot
  readonly held: boolean
}

/** Where an announcement stands in this region. */
export async function standingOf({ db, leads, keys, deadline }: Pick<Advancing, 'db' | 'leads' | 'keys' | 'deadline'>, run: Run): Promise<Standing> {
  const { campaign, year } = run
  const [cuts, acts, file, known] = await Promise.all([readCuts(db, campaign, year), readActs(db, campaign, year), readFile(db, campaign, year), keys()])
  const published = file === undefined ? undefined : JSON.parse(file) as Edition
  const slot = slotOf((published?.statement.edition ?? 0) + 1, acts, leads, known)
  return { run, cuts, acts, published, slot, held: published === undefined && run.cutAt !== null && Date.now() > run.cutAt.getTime() + deadline }
}

/**
 * Does what this region owes an announcement now: cuts, drafts, recomputes and signs or dissents, publishes. Every step may be done twice at once or be
 * cut off anywhere: it is claimed by a unique key in the transaction that does it.
 * @returns true while something is under way that another look will move
 */
export async function advance(options: Advancing, run: Run): Promise<boolean> {
  const { db, log, region, calendar, topicPrefix } = options
  if (run.cutAt === null) {
    const known = asPublished(calendar, run.campaign, run.year)
    if (await writeMarkers(options, run, known.plan, known.calendar)) log.info({ campaign: run.campaign, year: run.year, demo: run.demo }, 'cut')
    return true
  }
  const standing = await standingOf(options, run)
  const { slot, published, cuts } = standing
  if (slot.draft === undefined) {
    const subject = subjectOf(options, standing)
    if (subject === undefined) return published === undefined
    if (mayDraft(options, standing, subject)) await draft(subject, [])
    return true
  }
  const replaced = replacementOf(options, standing)
  if (replaced !== undefined) {
    await draft(replaced, slot.draft.body.tips)
    return true
  }
  const { body } = slot.draft
  const subject: Subject = { edition: slot.edition, missing: body.missing, corrections: body.corrections, retracts: body.retracts, before: published }
  const signs = !body.missing.includes(region)
  if (signs && !slot.recomputed.some((one) => one.region === region)) {
    await sign(subject)
    return true
  }
  if (isComplete(slot)) await publish(subject)
  else await sayApproved(options, run, slot)
  return true

  async function draft(of: Subject, tips: DraftBody['tips']): Promise<void> {
    const own = await compute(of)
    if (own === undefined) return
    const drawn = randomBytes(32).toString('hex')
    const annex = annexOf(own.list, saltsFrom(drawn))
    const digests = digestsOf({ statement: own.statement, annex, tips })
    const about = `${of.missing.join(' ')}|${of.retracts}|${digests.aggregates}|${digests.tips}`
    const said = await say(options, slotIs(of), 'draft', about, { missing: of.missing, corrections: of.corrections, retracts: of.retracts, drawn, tips, digests, statement: own.statement })
    if (!said) return
    failpoint('announce.said', `${run.campaign}/${run.year} draft`)
    log.info({ campaign: run.campaign, year: run.year, edition: of.edition, missing: of.missing }, 'drafted')
  }

  /** Signs when the pass over the partitions was clean and this replica's own copies give what the draft says; else says why not. */
  async function sign(of: Subject): Promise<void> {
    const { digests, statement, drawn } = body
    const found = await scrubResult(db, run)
    if (found === undefined) {
      if (run.scrub === null) await askScrub(db, run, topicPrefix)
      return
    }
    if (!found.clean) {
      await say(options, slotIs(of), 'dissent', `${digests.aggregates}|scrub|${run.scrub!.askedAt}`, { aggregates: digests.aggregates, records: found.records, disagreements: [], why: '本地副本核对发现差异 · this replica was not what the log makes of it' })
      if (Date.now() > Date.parse(run.scrub!.askedAt) + SCRUB_AGAIN_MS) await askScrub(db, run, topicPrefix)
      return
    }
    const again = `${run.campaign}/${run.year}/${digests.aggregates}`
    if ((options.notBefore.get(again) ?? 0) > Date.now()) return
    options.notBefore.set(again, Date.now() + LOOK_AGAIN_MS)
    const fault = await faultOf({ db, codec: options.codec, campaign: run.campaign, year: run.year }, of.corrections, standing.acts)
    if (fault !== undefined) {
      // The draft may be here before what it rests on: another region's statement, or the events it is about.
      const since = `${again}/corrections`
      if (!options.notBefore.has(since)) options.notBefore.set(since, Date.now() + GRACE_MS)
      if (options.notBefore.get(since)! > Date.now()) {
        options.notBefore.delete(again)
        return
      }
      await say(options, slotIs(of), 'dissent', `${digests.aggregates}|${fault}`, { aggregates: digests.aggregates, records: [], disagreements: [], why: fault })
      return
    }
    const own = await compute(of)
    if (own === undefined) return
    const annex = annexOf(own.list, saltsFrom(drawn))
    const computed = digestsOf({ statement: own.statement, annex, tips: body.tips })
    if (computed.aggregates !== digests.aggregates || computed.annex !== digests.annex) {
      const found = disagreements(body, { statement: own.statement, annex })
      log.warn({ campaign: run.campaign, year: run.year, edition: of.edition, parts: found.map(({ part }) => part) }, 'this replica gives other figures than the draft')
      await say(options, slotIs(of), 'dissent', `${digests.aggregates}|${computed.aggregates}|${computed.annex}`, { aggregates: digests.aggregates, records: [], disagreements: found, why: '本地复算结果与草案不同 · this replica gives other figures' })
      // Its rows are right: what was copied at the markers may not be. Once; what the log does not put right is for people.
      const mended = `${again}/${computed.aggregates}/${computed.annex}`
      if (!options.notBefore.has(mended)) await askScrub(db, run, topicPrefix, 'repair')
      options.notBefore.set(mended, Infinity)
      return
    }
    const at = shanghaiTime(Date.now())
    const { kid, signature } = options.signer.sign(recomputedBytes(statement, digests, { region, at }))
    const said = await say(options, slotIs(of), 'recomputed', `${digests.aggregates}|${digests.annex}`, { digests: { aggregates: digests.aggregates, annex: digests.annex }, at, kid, signature: signature.toString('base64') })
    if (!said) return
    options.notBefore.delete(again)
    options.notBefore.delete(`${again}/corrections`)
    failpoint('announce.said', `${run.campaign}/${run.year} recomputed`)
    log.info({ campaign: run.campaign, year: run.year, edition: of.edition, scrubMs: found.ms, scrubRows: found.rows }, 'recomputed and signed')
  }

  /** Keeps the file that the signatures make, the same bytes in every region. */
  async function publish(of: Subject): Promise<void> {
    const own = await compute(of)
    if (own === undefined) return
    const content: Content = { statement: own.statement, annex: annexOf(own.list, saltsFrom(body.drawn)), tips: body.tips }
    const { aggregates, annex, tips } = digestsOf(content)
    if (aggregates !== body.digests.aggregates || annex !== body.digests.annex || tips !== body.digests.tips) {
      log.error({ campaign: run.campaign, year: run.year, edition: of.edition }, 'four regions signed an edition that this replica does not give: it is not published from here')
      return
    }
    const { edition } = assembleEdition(content, slot.recomputed, slot.approved)
    if (!await writeEdition(db, edition)) return
    failpoint('announce.published', `${run.campaign}/${run.year}`)
    log.info({ campaign: run.campaign, year: run.year, edition: of.edition, kind: own.statement.kind }, 'published')
  }

  async function compute(of: Subject): Promise<Own | undefined> {
    try {
      const own = await recompute({ db, plan: run, calendar, cuts, topicPrefix }, of)
      failpoint('announce.computed', `${run.campaign}/${run.year}`)
      return own
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      log.warn({ err: error, campaign: run.campaign, year: run.year, edition: of.edition }, 'this edition cannot be computed here')
      return undefined
    }
  }

  function slotIs(of: Subject): { campaign: Run['campaign']; year: number; edition: number } {
    return { campaign: run.campaign, year: run.year, edition: of.edition }
  }
}

/**
 * What the next edition is to be of, when there is to be one: the first once all regions are cut, or, at the deadline, those that are; later ones when a region
 * has returned, an origin has corrected something, or a region takes the edition back.
 */
function subjectOf(_options: Advancing, { cuts, published, acts, slot, held }: Standing): Subject | undefined {
  const cut = regionsAtCut(cuts)
  const missing = REGIONS.filter((region) => !cut[region].cut)
  const base = { edition: slot.edition, corrections: [], retracts: false, before: published }
  if (published === undefined) {
    if (missing.length === 0) return { ...base, missing }
    return held && REGIONS.length - missing.length >= LEAST_REGIONS ? { ...base, missing } : undefined
  }
  if (published.statement.kind === 'retracted') return undefined
  if (acts.some(({ says, edition }) => says === 'retract' && edition === slot.edition)) return { ...base, missing: missingIn(published), retracts: true }
  // All that was ever corrected, for an erratum begins at the first copies again; nothing new in it, and there is none.
  const before = published.statement.erratum?.corrections ?? []
  const returned = REGIONS.filter((region) => cut[region].cut && (missingIn(published).includes(region) || before.some((one) => one.region === region && one.reason === 'region-returned')))
  const corrections = [
    ...returned.map((region) => ({ region, reason: 'region-returned' as const, recordId: null, before: null, after: null })),
    ...acts.flatMap((act) => (act.says === 'correction' ? act.body.corrections.filter(({ region }) => region === act.region) : [])),
  ]
  if (canonicalJson(stated(corrections)) === canonicalJson(before)) return undefined
  return { ...base, missing: missingIn(published).filter((region) => !returned.includes(region)), corrections }
}

function missingIn({ statement }: Edition): Region[] {
  return REGIONS.filter((region) => statement.regions[region].standing === 'missing')
}

/** Each lead has its time, counted from when there is something to draft; the missing have none. */
function mayDraft({ leads, region, silence, deadline }: Advancing, { run, cuts, held, published }: Standing, { missing }: Subject): boolean {
  const place = leads.filter((lead) => !missing.includes(lead)).indexOf(region)
  if (place < 0) return false
  const applied = Math.max(...cuts.map(({ appliedAt }) => appliedAt.getTime()))
  const since = published === undefined && held && missing.length > 0 ? Math.max(applied, run.cutAt!.getTime() + deadline) : applied
  return Date.now() >= since + place * silence
}

/** At the deadline the region that drafted drafts anew without the one region that has not signed; people of the others approve that. */
function replacementOf({ region }: Advancing, { held, published, slot }: Standing): Subject | undefined {
  if (!held || published !== undefined || slot.draft?.region !== region || slot.draft.body.missing.length > 0) return undefined
  const missing = slot.lacking.recomputed
  if (missing.length !== 1 || missing.includes(region)) return undefined
  return { edition: slot.edition, missing, corrections: [], retracts: false, before: undefined }
}
