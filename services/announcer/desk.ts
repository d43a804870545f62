import { Problem } from '@hub/runtime/http'
import type { Text } from '@hub/schemas/codes'
import { type Region, REGIONS } from '@hub/schemas/streams'
import { hash } from 'node:crypto'
import { advance, type Advancing, type Standing, standingOf } from './advance.ts'
import { sayApproved } from './approve.ts'
import { YearUncovered } from './calendar/calendar.ts'
import { type CampaignId, campaignName, isCampaign, isPast, type Plan, planOf, PlanRefused } from './campaigns.ts'
import { digestOf } from './canonical.ts'
import { shanghaiTime, standingOf as completenessOf, standingText } from './completeness.ts'
import { correctionOf, type AskedCorrection } from './correct.ts'
import { digestsOf, isUnedited } from './edition/assemble.ts'
import { annexOf, saltsFrom } from './edition/annex.ts'
import { written } from './edition/corrections.ts'
import { changesBetween } from './edition/changes.ts'
import { FORMAT, FORMAT_VERSION, type Change, type Digests, type Edition, type RegionStanding, type Statement, type Tip } from './edition/model.ts'
import { BULLETINS } from './figures/bulletins.ts'
import type { DefinitionRef } from './figures/model.ts'
import type { Rise } from './figures/rises.ts'
import { MixedDefinitions, seriesOf, type SeriesPoint } from './figures/series.ts'
import { recompute, risesAtCut, type Own, type Recomputing, type Subject } from './recompute.ts'
import { contentOf, slotOf } from './slot.ts'
import { readActs, say } from './store/acts.ts'
import { type EditionRow, openRun, readEditions, readFile, readNewest, readPlans, readRun, readRuns, type ScrubResult } from './store/announcements.ts'
import { readApproval, noteApproval, type ApprovalRow } from './store/approvals.ts'
import { CUT_PARTITIONS, readCuts, regionsAtCut } from './store/cuts.ts'

/** planned: its time has not come; past: it came more than a week ago and nobody took it up, so it is done on request alone; cutting, drafting, signing, approving: who is to act next; held: the deadline passed and somebody is missing; published: its file is kept here. */
export type Status = 'planned' | 'past' | 'cutting' | 'drafting' | 'signing' | 'approving' | 'held' | 'published' | 'retracted'

/** An announcement in the list: planned, under way or published. */
export interface ListedAnnouncement {
  readonly campaign: CampaignId
  readonly year: number
  readonly name: Text
  readonly plan: Plan
  /** Where the plan was before an amendment moved it. */
  readonly moved: { readonly before: Plan; readonly at: string } | null
  readonly status: Status
  readonly demo: boolean
  readonly editions: readonly EditionRow[]
}

/** Where an announcement stands here, for officers: what is missing and whom it waits for. */
export interface AnnouncementState extends ListedAnnouncement {
  /** Partitions cut, of `of`, with how complete each region is by its own markers. */
  readonly regions: Readonly<Record<Region, { readonly cut: number; readonly of: number; readonly cutAt: string | null; readonly completeness: RegionStanding; readonly text: Text | null }>>
  readonly deadline: string | null
  /** The pass over this replica's cut partitions. */
  readonly scrub: ScrubResult | null
  /** The edition in the making. */
  readonly draft: DraftState | null
}

export interface DraftState {
  readonly edition: number
  readonly by: Region
  readonly at: string
  readonly statement: Statement
  readonly tips: readonly Tip[]
  readonly digests: Digests
  /** By region: signed, or why not; approved, or rejected and why. */
  readonly regions: Readonly<Record<Region, RegionActs>>
  /** The approval of this region: first and second person. */
  readonly approval: ApprovalRow | null
}

export interface RegionActs {
  readonly missing: boolean
  readonly recomputed: string | null
  readonly approved: string | null
  readonly dissent: { readonly why: string; readonly records: readonly string[]; readonly disagreements: readonly unknown[] } | null
  readonly rejected: string | null
  readonly fault: string | null
}

/** All that people do with announcements, whether by HTTP, by a page or by `hub`. */
export interface Desk {
  list(): Promise<ListedAnnouncement[]>
  /** @throws Problem ANNOUNCEMENT_UNKNOWN */
  state(campaign: string, year: number): Promise<AnnouncementState>
  /** A published file. @throws Problem ANNOUNCEMENT_UNKNOWN */
  file(campaign: string, year: number, edition?: number): Promise<string>
  editions(): Promise<EditionRow[]>
  /** The edition in the making as this region would render it, with the signatures that it has. @throws Problem ANNOUNCEMENT_UNKNOWN, NO_DRAFT */
  draft(campaign: string, year: number): Promise<Edition>
  /** A campaign's counts over the years, of one definition. @throws Problem ANNOUNCEMENT_UNKNOWN, MIXED_DEFINITIONS */
  series(campaign: string, definition?: DefinitionRef): Promise<SeriesPoint[]>
  /** Takes an announcement up now. @throws Problem PLAN_REFUSED, NOT_DUE */
  run(campaign: string, year: number, demo: boolean, who: string): Promise<AnnouncementState>
  /** @throws Problem NO_DRAFT, NOT_RECOMPUTED, NEEDS_ANOTHER */
  approve(campaign: string, year: number, who: string): Promise<AnnouncementState>
  reject(campaign: string, year: number, reason: string): Promise<AnnouncementState>
  /** Only where the draft was made, until it is approved there. @throws Problem NOT_THE_DRAFTER, ALREADY_APPROVED, TIP_UNEDITED */
  tips(campaign: string, year: number, tips: readonly Tip[]): Promise<AnnouncementState>
  retract(campaign: string, year: number, reason: string): Promise<AnnouncementState>
  /** What tips may be about; none before the cut. @throws Problem ANNOUNCEMENT_UNKNOWN, PLAN_REFUSED */
  rises(campaign: string, year: number): Promise<Rise[]>
  /** States what was wrong in this region's first copy; an erratum edition follows. @throws Problem ANNOUNCEMENT_UNKNOWN, CORRECTION_REFUSED */
  correct(campaign: string, year: number, asked: readonly AskedCorrection[]): Promise<AnnouncementState>
  /** Whether this replica's copies still give the figures of a published edition. @throws Problem ANNOUNCEMENT_UNKNOWN */
  recomputation(campaign: string, year: number, edition: number): Promise<Recomputation>
}

export interface Recomputation {
  /** False where the copies, or the acts that the edition rests on, are no longer kept here. */
  readonly recomputable: boolean
  readonly same: boolean | null
  /** Numbers that differ: `before` as published, `after` as recomputed. */
  readonly changes: readonly Change[]
}

/** @param changed rung after everything that people did */
export function createDesk(options: Advancing, changed: () => void): Desk {
  const { db, calendar, region, deadline, topicPrefix } = options

  const desk: Desk = {
    async list() {
      const [plans, runs, editions] = await Promise.all([readPlans(db), readRuns(db), readEditions(db)])
      return Promise.all(plans.map(async ({ plan, before, movedAt }): Promise<ListedAnnouncement> => {
        const run = runs.find(({ campaign, year }) => campaign === plan.campaign && year === plan.year)
        const own = editions.filter(({ campaign, year }) => campaign === plan.campaign && year === plan.year)
        return {
          campaign: plan.campaign, year: plan.year, name: campaignName(plan.campaign), plan, moved: before === null ? null : { before, at: movedAt!.toISOString() },
          status: run === undefined ? untaken(plan) : statusOf(await standingOf(options, run)), demo: run?.demo ?? false, editions: own,
        }
      }))
    },

    async state(name, year) {
      const plan = planned(name, year)
      const { campaign } = plan
      const run = await readRun(db, campaign, year)
      const [plans, editions] = await Promise.all([readPlans(db), readEditions(db, campaign, year)])
      const moved = plans.find((row) => row.plan.campaign === campaign && row.plan.year === year)
      const standing = run === undefined ? undefined : await standingOf(options, run)
      const cut = regionsAtCut(standing?.cuts ?? [])
      return {
        campaign, year, name: campaignName(campaign), plan, moved: moved?.before == null ? null : { before: moved.before, at: moved.movedAt!.toISOString() }, editions,
        status: standing === undefined ? untaken(plan) : statusOf(standing), demo: run?.demo ?? false,
        regions: Object.fromEntries(REGIONS.map((one) => {
          const own = standing?.cuts.filter((row) => row.region === one) ?? []
          const completeness = completenessOf(cut[one], plan.window)
          return [one, { cut: own.length, of: CUT_PARTITIONS, cutAt: own[0] === undefined ? null : shanghaiTime(own[0].cutAt.getTime()), completeness, text: standingText(one, completeness) ?? null }]
        })) as AnnouncementState['regions'],
        deadline: run?.cutAt == null ? null : shanghaiTime(run.cutAt.getTime() + deadline),
        scrub: run?.scrub?.outcome ?? null,
        draft: standing === undefined ? null : await draftOf(standing),
      }
    },

    async file(name, year, edition) {
      const found = isCampaign(name) ? await readFile(db, name, year, edition) : undefined
      if (found === undefined) throw unknown()
      return found
    },

    editions: () => readEditions(db),

    async draft(name, year) {
      const { plan, standing: { slot, published, cuts }, draft } = await drafted(name, year)
      const { missing, corrections, retracts, drawn, statement, tips, digests } = draft.body
      const own = await computed({ plan, cuts }, { edition: slot.edition, missing, corrections, retracts, before: published })
      return { format: FORMAT, formatVersion: FORMAT_VERSION, statement, annex: annexOf(own.list, saltsFrom(drawn)), tips, digests, recomputed: slot.recomputed, approved: slot.approved }
    },

    async series(name, definition) {
      if (!isCampaign(name)) throw unknown()
      try {
        return seriesOf(name, (await readNewest(db, name)).map((file) => (JSON.parse(file) as Edition).statement), BULLETINS, definition)
      } catch (error) {
        if (!(error instanceof MixedDefinitions)) throw error
        throw new Problem(409, 'MIXED_DEFINITIONS', '口径不同，不能并列比较 · numbers of different definitions make no series', `Ask for one of them with definition: ${error.definitions.join(', ')}.`)
      }
    },

    async run(name, year, demo, who) {
      const plan = planned(name, year)
      if (Date.parse(plan.cut) > Date.now()) throw new Problem(409, 'NOT_DUE', `截数时间未到：${plan.cut} · its cut has not come: ${plan.cut}`, 'It is taken up by itself at that time.')
      await openRun(db, plan.campaign, year, demo, who)
      return done(plan)
    },

    async approve(name, year, who) {
      const { plan, standing, draft } = await drafted(name, year)
      if (!standing.slot.recomputed.some((one) => one.region === region)) throw new Problem(409, 'NOT_RECOMPUTED', '本地区尚未复算一致，不能审核 · this region has not recomputed the figures yet', 'See draft.regions: what differs, or that the pass over the replica is under way.')
      const content = { campaign: plan.campaign, year, edition: standing.slot.edition, content: contentOf(draft.body.digests) }
      const before = await readApproval(db, content)
      if (before?.firstBy === who && before.secondBy === null) throw new Problem(409, 'NEEDS_ANOTHER', '须由另一人复核 · another person has to look', `${who} has approved it already; a second approver of this region is needed.`)
      const approval = await noteApproval(db, content, who)
      if (approval.secondBy !== null) await sayApproved(options, plan, standing.slot)
      return done(plan)
    },

    async reject(name, year, reason) {
      const { plan, standing, draft } = await drafted(name, year)
      const { digests } = draft.body
      await say(options, { campaign: plan.campaign, year, edition: standing.slot.edition }, 'rejected', `${contentOf(digests)}|${hash('sha256', reason, 'hex')}`, { digests, reason })
      return done(plan)
    },

    async tips(name, year, tips) {
      const { plan, standing, draft } = await drafted(name, year)
      const { slot, published, cuts } = standing
      if (draft.region !== region) throw new Problem(409, 'NOT_THE_DRAFTER', '消费提示由起草地区编辑 · the region that drafted edits the tips', `Drafted by ${draft.region}.`)
      if (slot.approved.some((one) => one.region === region)) throw new Problem(409, 'ALREADY_APPROVED', '本地区已审核通过，不能再改 · this region has approved it as it is')
      if (tips.some(isUnedited)) throw new Problem(422, 'TIP_UNEDITED', '请先补充消费提示：系统起草的内容不直接公布 · put advice in its place: what the hub drafts is not published as it is')
      const { missing, corrections, retracts, drawn } = draft.body
      const own = await computed({ plan, cuts }, { edition: slot.edition, missing, corrections, retracts, before: published })
      const digests = digestsOf({ statement: own.statement, annex: annexOf(own.list, saltsFrom(drawn)), tips })
      await say(options, { campaign: plan.campaign, year, edition: slot.edition }, 'draft', `${missing.join(' ')}|${retracts}|${digests.aggregates}|${digests.tips}`, { ...draft.body, tips, digests, statement: own.statement })
      return done(plan)
    },

    async retract(name, year, reason) {
      const { plan, standing } = await oncePublished(name, year)
      await say(options, { campaign: plan.campaign, year, edition: standing.slot.edition }, 'retract', 'retract', { reason })
      return done(plan)
    },

    async rises(name, year) {
      const plan = planned(name, year)
      return risesAtCut({ db, plan, calendar, cuts: await readCuts(db, plan.campaign, year) })
    },

    async correct(name, year, asked) {
      const { plan, standing, published } = await oncePublished(name, year)
      const { campaign } = plan
      try {
        const corrections = []
        for (const one of asked) corrections.push(written(await correctionOf({ db, codec: options.codec, campaign, year }, region, one)))
        const { edition } = standing.slot
        const all = [...standing.acts.flatMap((act) => (act.says === 'correction' ? act.body.corrections : [])), ...corrections]
        await recompute({ db, plan, calendar, cuts: standing.cuts, topicPrefix }, { edition, missing: [], corrections: all, retracts: false, before: published })
        await say(options, { campaign, year, edition }, 'correction', digestOf(corrections), { corrections })
      } catch (error) {
        if (error instanceof RangeError) throw new Problem(422, 'CORRECTION_REFUSED', '不能作此更正 · this is no correction', error.message)
        throw error
      }
      return done(plan)
    },

    async recomputation(name, year, edition) {
      const plan = planned(name, year)
      const file = JSON.parse(await desk.file(name, year, edition)) as Edition
      const before = edition === 1 ? undefined : JSON.parse(await desk.file(name, year, edition - 1)) as Edition
      const [cuts, acts, keys] = await Promise.all([readCuts(db, plan.campaign, year), readActs(db, plan.campaign, year), options.keys()])
      const body = slotOf(edition, acts, options.leads, keys).draft?.body
      if (body === undefined || cuts.some(({ whole }) => !whole)) return { recomputable: false, same: null, changes: [] }
      try {
        const { statement } = await recompute({ db, plan, calendar, cuts, topicPrefix }, { edition, missing: body.missing, corrections: body.corrections, retracts: body.retracts, before })
        const same = digestOf(statement) === file.digests.aggregates
        return { recomputable: true, same, changes: same || statement.figures === null || file.statement.figures === null ? [] : changesBetween(file.statement.figures, statement.figures) }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return { recomputable: false, same: null, changes: [] }
      }
    },
  }
  return desk

  /** @throws Problem NOT_CUT_HERE: the draft may be here before the markers that it rests on */
  async function computed({ plan, cuts }: Pick<Recomputing, 'plan' | 'cuts'>, subject: Subject): Promise<Own> {
    try {
      return await recompute({ db, plan, calendar, cuts, topicPrefix }, subject)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new Problem(409, 'NOT_CUT_HERE', '本地副本尚不能复算此草案，请稍后再试 · this replica cannot compute the draft yet: try again in a moment', error.message)
    }
  }

  async function oncePublished(name: string, year: number): Promise<{ plan: Plan; standing: Standing; published: Edition }> {
    const plan = planned(name, year)
    const run = await readRun(db, plan.campaign, year)
    const standing = run === undefined ? undefined : await standingOf(options, run)
    if (standing?.published === undefined || standing.published.statement.kind === 'retracted') throw unknown()
    return { plan, standing, published: standing.published }
  }

  /** @throws Problem ANNOUNCEMENT_UNKNOWN, PLAN_REFUSED */
  function planned(name: string, year: number): Plan {
    if (!isCampaign(name)) throw unknown()
    try {
      return planOf(calendar, name, year)
    } catch (error) {
      if (error instanceof YearUncovered || error instanceof PlanRefused) throw new Problem(422, 'PLAN_REFUSED', '不能安排此公示 · this announcement cannot be planned', error.message)
      throw error
    }
  }

  async function drafted(name: string, year: number): Promise<{ plan: Plan; standing: Standing; draft: NonNullable<Standing['slot']['draft']> }> {
    const plan = planned(name, year)
    const run = await readRun(db, plan.campaign, year)
    const standing = run === undefined ? undefined : await standingOf(options, run)
    const draft = standing?.slot.draft
    if (standing === undefined || draft === undefined) throw new Problem(409, 'NO_DRAFT', '尚无草案 · there is no draft yet', 'See status: planned, past, cutting or drafting.')
    return { plan, standing, draft }
  }

  async function done({ campaign, year }: Plan): Promise<AnnouncementState> {
    const run = await readRun(db, campaign, year)
    if (run !== undefined) await advance(options, run)
    changed()
    return desk.state(campaign, year)
  }

  async function draftOf({ run, slot }: Standing): Promise<DraftState | null> {
    const { draft } = slot
    if (draft === undefined) return null
    const { statement, tips, digests, missing } = draft.body
    return {
      edition: slot.edition, by: draft.region, at: shanghaiTime(draft.at.getTime()), statement, tips, digests,
      regions: Object.fromEntries(REGIONS.map((one): [Region, RegionActs] => {
        const dissent = slot.dissents.findLast((act) => act.region === one)?.body
        return [one, {
          missing: missing.includes(one), recomputed: slot.recomputed.find((by) => by.region === one)?.at ?? null, approved: slot.approved.find((by) => by.region === one)?.at ?? null,
          dissent: dissent === undefined ? null : { why: dissent.why, records: dissent.records, disagreements: dissent.disagreements },
          rejected: slot.rejections.findLast((act) => act.region === one)?.body.reason ?? null, fault: slot.faults.find((by) => by.region === one)?.fault ?? null,
        }]
      })) as DraftState['regions'],
      approval: await readApproval(db, { campaign: run.campaign, year: run.year, edition: slot.edition, content: contentOf(digests) }) ?? null,
    }
  }
}

function untaken(plan: Plan): Status {
  return isPast(plan, Date.now()) ? 'past' : 'planned'
}

function statusOf({ run, cuts, slot, published, held }: Standing): Status {
  if (published !== undefined && slot.draft === undefined) return published.statement.kind === 'retracted' ? 'retracted' : 'published'
  if (run.cutAt === null) return 'cutting'
  if (slot.draft !== undefined && slot.lacking.recomputed.length === 0) return held ? 'held' : 'approving'
  if (held) return 'held'
  if (slot.draft !== undefined) return 'signing'
  return cuts.length === REGIONS.length * CUT_PARTITIONS ? 'drafting' : 'cutting'
}

function unknown(): Problem {
  return new Problem(404, 'ANNOUNCEMENT_UNKNOWN', '没有此公示，或尚未发布 · no such announcement, or it is not published', 'GET /v1/announcements has those that are published.')
}
