import type { DbClient } from '@hub/runtime/db'
import { editionBytes } from '../edition/assemble.ts'
import { struck } from '../edition/annex.ts'
import type { Edition } from '../edition/model.ts'

/** Strikes the traders' names, with their salts, from published files whose term has ended; the signatures still hold. */
export async function strikeNames(db: DbClient): Promise<void> {
  const { rows } = await db.query<{ campaign: string; year: number; edition: number; file: string }>(
    `SELECT campaign, year, edition, file FROM announcement_edition WHERE names_until < (now() AT TIME ZONE 'Asia/Shanghai')::date LIMIT 10`)
  for (const { campaign, year, edition, file } of rows) {
    const whole = JSON.parse(file) as Edition
    await db.query('UPDATE announcement_edition SET file = $4, names_until = NULL WHERE campaign = $1 AND year = $2 AND edition = $3 AND file = $5',
      [campaign, year, edition, editionBytes({ ...whole, annex: struck(whole.annex, () => true) }).toString(), file])
  }
}
