import type { DbClient } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { CampaignId, Plan } from '../campaigns.ts'
import type { Edition } from '../edition/model.ts'
import { editionBytes } from '../edition/assemble.ts'

/** An announcement that this region has taken up. */
export interface Run {
  readonly campaign: CampaignId
  readonly year: number
  readonly demo: boolean
  readonly askedBy: string | null
  readonly openedAt: Date
  readonly cutAt: Date | null
  readonly scrub: Scrubbed | null
  readonly cleanAt: Date | null
}

/** The pass over the cut partitions that a signature rests on. */
export interface Scrubbed {
  readonly requests: readonly string[]
  readonly askedAt: string
  readonly outcome: ScrubResult | null
}

export interface ScrubResult {
  readonly clean: boolean
  readonly partitions: number
  readonly rows: number
  readonly ms: number
  /** Records and counts that were not what the log makes of them. */
  readonly records: readonly string[]
  readonly reasons: readonly string[]
}

const COLUMNS = 'campaign, year, demo, asked_by AS "askedBy", opened_at AS "openedAt", cut_at AS "cutAt", scrub, clean_at AS "cleanAt"'

export async function readRuns(db: DbClient): Promise<Run[]> {
  const { rows } = await db.query<Run>(`SELECT ${COLUMNS} FROM announcement ORDER BY opened_at DESC`)
  return rows
}

export async function readRun(db: DbClient, campaign: string, year: number): Promise<Run | undefined> {
  const { rows } = await db.query<Run>(`SELECT ${COLUMNS} FROM announcement WHERE campaign = $1 AND year = $2`, [campaign, year])
  return rows[0]
}

/** Takes an announcement up; whoever inserts the row has. @returns false when it was before */
export async function openRun(db: DbClient, campaign: string, year: number, demo: boolean, askedBy: string | null): Promise<boolean> {
  const { rowCount } = await db.query('INSERT INTO announcement (campaign, year, demo, asked_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [campaign, year, demo, askedBy])
  if (rowCount !== 1) return false
  failpoint('announce.opened', `${campaign}/${year}`)
  return true
}

/** A published edition without its file. */
export interface EditionRow {
  readonly campaign: CampaignId
  readonly year: number
  readonly edition: number
  readonly kind: string
  readonly demo: boolean
  readonly title: string
  readonly publishedAt: Date
}

export async function readEditions(db: DbClient, campaign: string | null = null, year: number | null = null): Promise<EditionRow[]> {
  const { rows } = await db.query<EditionRow>(
    `SELECT campaign, year, edition, kind, demo, title, published_at AS "publishedAt" FROM announcement_edition
      WHERE ($1::text IS NULL OR campaign = $1) AND ($2::int IS NULL OR year = $2) ORDER BY published_at DESC, edition DESC LIMIT 1000`, [campaign, year])
  return rows
}

/** A published file; the newest edition when none is named. */
export async function readFile(db: DbClient, campaign: string, year: number, edition: number | null = null): Promise<string | undefined> {
  const { rows } = await db.query<{ file: string }>(
    'SELECT file FROM announcement_edition WHERE campaign = $1 AND year = $2 AND ($3::int IS NULL OR edition = $3) ORDER BY edition DESC LIMIT 1', [campaign, year, edition])
  return rows[0]?.file
}

/** The newest edition's file of each year of a campaign. */
export async function readNewest(db: DbClient, campaign: string): Promise<string[]> {
  const { rows } = await db.query<{ file: string }>('SELECT DISTINCT ON (year) file FROM announcement_edition WHERE campaign = $1 ORDER BY year, edition DESC', [campaign])
  return rows.map(({ file }) => file)
}

/** Keeps a published file, once. @returns false when it was there */
export async function writeEdition(db: DbClient, edition: Edition): Promise<boolean> {
  const { statement, annex } = edition
  const { rowCount } = await db.query(
    `INSERT INTO announcement_edition (campaign, year, edition, kind, demo, title, file, names_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [statement.campaign, statement.year, statement.edition, statement.kind, statement.demo, statement.title[0], editionBytes(edition).toString(), annex.namesUntil])
  return rowCount === 1
}

/** What was planned when this region last looked, and what moved. */
export interface PlanRow {
  readonly plan: Plan
  readonly before: Plan | null
  readonly movedAt: Date | null
}

export async function readPlans(db: DbClient): Promise<PlanRow[]> {
  const { rows } = await db.query<PlanRow>('SELECT plan, before, moved_at AS "movedAt" FROM announcement_plan ORDER BY plan->>\'publishOn\'')
  return rows
}

export async function writePlan(db: DbClient, plan: Plan, before: Plan | null): Promise<void> {
  await db.query(
    `INSERT INTO announcement_plan (campaign, year, plan, before, moved_at) VALUES ($1, $2, $3, $4, CASE WHEN $4::jsonb IS NOT NULL THEN now() END)
     ON CONFLICT (campaign, year) DO UPDATE SET plan = excluded.plan, before = excluded.before, moved_at = excluded.moved_at`,
    [plan.campaign, plan.year, JSON.stringify(plan), before === null ? null : JSON.stringify(before)])
}
