import { ROLLUP_TABLES, ROLLUPS } from '@hub/schemas/rollups'
import type { Db } from '@hub/runtime/db'

/** Cells that are kept otherwise than the rows give them, in one snapshot; none is the promise. */
export async function miscounted(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ cell: string }>(ROLLUP_TABLES.map((table) => {
    const { keys, sums, money } = ROLLUPS[table]
    const [key, values] = [['region', 'partition', ...keys.map(([name]) => name)], [...sums, ...(money === null ? [] : [money])]]
    return `SELECT concat_ws(' ', '${table}', ${key.join(', ')}, '${values.join(',')}', ':', ${values.map((name) => `t.${name}`).join(', ')}, 'kept,', ${values.map((name) => `r.${name}`).join(', ')}, 'recounted') AS cell
              FROM ${table} t FULL JOIN ${table}_recount r USING (${key.join(', ')})
             WHERE (${values.map((name) => `t.${name}`).join(', ')}) IS DISTINCT FROM (${values.map((name) => `r.${name}`).join(', ')})`
  }).join(' UNION ALL '))
  return rows.map(({ cell }) => cell)
}
