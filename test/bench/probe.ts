import type { Db } from '@hub/runtime/db'

export const NOTIFY_CHANNEL = 'bench_seen'

/**
 * Has a replica tell every complaint that becomes visible, in the moment its transaction has committed, so that nobody needs to poll. NOTIFY makes
 * the commits of one server take turns; that is part of what is measured.
 */
export async function installProbe(db: Db): Promise<void> {
  await db.query(`
    CREATE FUNCTION bench_seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('${NOTIFY_CHANNEL}', NEW.record_id); RETURN NULL; END $$;
    CREATE TRIGGER bench_seen AFTER INSERT OR UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION bench_seen()`)
}
