/**
 * The counts that an announcement needs, asked of the complaints themselves as an analyst would: no roll-ups, no copies. `$1`, `$2` begins and ends of the windows, `$3`, `$4` the
 * twelve months of the traders. The same text for PostgreSQL and, with its array functions, for DuckDB.
 */
export function recountSql(inWindow: string, inMonths: string): Readonly<Record<'days' | 'classes' | 'traders', string>> {
  const counted = `state NOT IN ('received', 'transferred')`
  const accepted = `state NOT IN ('received', 'transferred', 'refused')`
  const byClass = (dimension: string, kind: string, code: string): string =>
    `SELECT region, CAST(registered_on AS text) AS day, '${dimension}' AS dimension, ${kind} AS kind, ${code} AS code, CAST(count(*) AS text) AS received, CAST(count(*) FILTER (WHERE ${counted}) AS text) AS counted
       FROM complaint WHERE kind <> 'void' AND ${inWindow} GROUP BY 1, 2, 3, 4, 5`
  return {
    days: `SELECT region, CAST(registered_on AS text) AS day, state, mediation_outcome AS outcome, online, CAST(count(*) AS text) AS n, CAST(coalesce(sum(recovered_fen), 0) AS text) AS fen
             FROM complaint WHERE kind <> 'void' AND ${inWindow} GROUP BY 1, 2, 3, 4, 5`,
    classes: [byClass('object', 'object_kind', 'object_class'), byClass('issue', 'NULL', 'issue'), byClass('channel', 'NULL', 'channel')].join(' UNION ALL '),
    traders: `WITH t AS (SELECT region, uscc, trader_name AS name, count(*) FILTER (WHERE ${counted}) AS counted, count(*) FILTER (WHERE ${accepted}) AS accepted,
                                count(*) FILTER (WHERE ${counted} AND mediation_outcome = 'settled') AS settled, count(*) FILTER (WHERE ${counted} AND mediation_outcome = 'terminated') AS terminated
                           FROM complaint
                          WHERE kind NOT IN ('void', 'withdrawal') AND uscc IS NOT NULL AND uscc NOT LIKE '92%' AND coalesce(entity_type, '') NOT IN ('sole-trader', 'individual')
                            AND coalesce(publication, '') NOT IN ('withdrawn', 'expired', 'not-publishable') AND ${inMonths} GROUP BY 1, 2, 3)
              SELECT region, uscc, name, CAST(counted AS text) AS counted, CAST(accepted AS text) AS accepted, CAST(settled AS text) AS settled, CAST(terminated AS text) AS terminated
                FROM t WHERE counted > 0 AND uscc IN (SELECT uscc FROM t GROUP BY uscc HAVING sum(accepted) >= 10)`,
  }
}
