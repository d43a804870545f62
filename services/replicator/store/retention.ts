import type { Db } from '@hub/runtime/db'

const ROWS = 10_000

/**
 * Forgets parked events parked longer ago than `months` above which a later event of their key lies: compaction has long taken their bytes, so that nobody can redrive them, and the later event
 * stands for the record, parked itself or not. @returns how many; call again while there are any
 */
export async function trimParked(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM parked WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM parked WHERE buried_by IS NOT NULL AND parked_at < now() - make_interval(months => $1::int) LIMIT ${ROWS}))`, [months])
  return rowCount
}

/** Forgets what regions said longer ago than `months` of parked events that are open no more. @returns how many; call again while there are any */
export async function trimRegionParked(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM region_parked WHERE ctid = ANY (ARRAY(
       SELECT r.ctid FROM region_parked r
        WHERE r.at < now() - make_interval(months => $1::int)
          AND NOT EXISTS (SELECT FROM parked p WHERE p.topic = r.topic AND p.partition = r.partition AND p.log_offset = r.log_offset AND p.buried_by IS NULL) LIMIT ${ROWS}))`, [months])
  return rowCount
}

/** Forgets acts longer ago than `months`. @returns how many; call again while there are any */
export async function trimAudit(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM audit WHERE number = ANY (ARRAY(
       SELECT number FROM audit WHERE at < now() - make_interval(months => $1::int) ORDER BY number LIMIT ${ROWS}))`, [months])
  return rowCount
}

/** Forgets events that were redriven longer ago than `months`; the audit keeps the act. @returns how many; call again while there are any */
export async function trimRedriven(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM redriven WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM redriven WHERE published AND redriven_at < now() - make_interval(months => $1::int) LIMIT ${ROWS}))`, [months])
  return rowCount
}
