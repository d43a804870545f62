import type { DbClient } from '@hub/runtime/db'

/** What two people approve. */
export interface Approvable {
  readonly campaign: string
  readonly year: number
  readonly edition: number
  /** The digests, as `contentOf` writes them. */
  readonly content: string
}

export interface ApprovalRow {
  readonly firstBy: string
  readonly firstAt: Date
  readonly secondBy: string | null
  readonly secondAt: Date | null
}

const COLUMNS = 'first_by AS "firstBy", first_at AS "firstAt", second_by AS "secondBy", second_at AS "secondAt"'

export async function readApproval(db: DbClient, { campaign, year, edition, content }: Approvable): Promise<ApprovalRow | undefined> {
  const { rows } = await db.query<ApprovalRow>(`SELECT ${COLUMNS} FROM announcement_approval WHERE campaign = $1 AND year = $2 AND edition = $3 AND content = $4`, [campaign, year, edition, content])
  return rows[0]
}

/** Notes that a person approves, as the first or as the second; the same person twice is one. */
export async function noteApproval(db: DbClient, { campaign, year, edition, content }: Approvable, who: string): Promise<ApprovalRow> {
  await db.query(
    `INSERT INTO announcement_approval AS a (campaign, year, edition, content, first_by) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (campaign, year, edition, content) DO UPDATE SET second_by = excluded.first_by, second_at = now() WHERE a.second_by IS NULL AND a.first_by <> excluded.first_by`,
    [campaign, year, edition, content, who])
  return (await readApproval(db, { campaign, year, edition, content }))!
}
