import type { DbClient } from '@hub/runtime/db'
import type { Region } from '@hub/schemas/streams'

/** Whom to call about a source of complaints or tallies: office and duty line, as its region declares them. */
export interface Contact {
  readonly region: Region
  readonly source: string
  readonly owner: string
  readonly contact: string
}

export async function readContacts(c: DbClient): Promise<Contact[]> {
  const { rows } = await c.query<Contact>(`SELECT region, source, owner, duty_line AS contact FROM source_status WHERE declared AND streams && ARRAY['complaint', 'tally'] ORDER BY region, source`)
  return rows
}
