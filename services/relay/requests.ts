import type { Db, DbClient } from '@hub/runtime/db'
import { HubError } from '@hub/runtime/errors'

export type RequestKind = 'republish' | 'recover'

/** What an operator asked the relay for. `progress` is what whoever worked on it last has written. */
export interface RelayRequest<Progress> {
  readonly id: string
  readonly kind: RequestKind
  /** Null = every topic that it applies to. */
  readonly topic: string | null
  readonly who: string
  readonly why: string
  readonly progress: Progress
}

/** The oldest that is not finished, of one kind or of any. */
export async function nextRequest<Progress>(db: Db, kind: RequestKind | null = null): Promise<RelayRequest<Progress> | undefined> {
  const { rows } = await db.query<RelayRequest<Progress>>(
    'SELECT id::text, kind, topic, who, why, progress FROM relay_request WHERE ($1::text IS NULL OR kind = $1) AND finished_at IS NULL ORDER BY requested_at, id LIMIT 1', [kind])
  return rows[0]
}

/**
 * Writes how far it is, in the transaction of what was done.
 * @throws HubError (retriable) when another relay has gone on with it: nothing of this transaction may stay
 */
export async function noteProgress<Progress extends object>(client: DbClient, { id }: { readonly id: string }, before: Progress, after: Progress): Promise<void> {
  const { rowCount } = await client.query('UPDATE relay_request SET progress = $3::jsonb WHERE id = $1::uuid AND finished_at IS NULL AND progress = $2::jsonb', [id, JSON.stringify(before), JSON.stringify(after)])
  if (rowCount !== 1) throw new HubError('REQUEST_TAKEN', 'another relay has gone on with this request', { retriable: true })
}

export async function finishRequest(client: DbClient, { id }: { readonly id: string }, outcome: object): Promise<void> {
  await client.query('UPDATE relay_request SET finished_at = now(), outcome = $2::jsonb WHERE id = $1::uuid AND finished_at IS NULL', [id, JSON.stringify(outcome)])
}

/** Forgets what was asked for and done longer ago than this; the audit keeps it. */
export async function trimRequests(db: DbClient, days: number): Promise<void> {
  await db.query('DELETE FROM relay_request WHERE finished_at < now() - make_interval(days => $1::int)', [days])
}

/** An act of a person that changed what would have come about by itself. */
export async function audit(client: DbClient, { who, why }: { readonly who: string; readonly why: string }, what: string, target: string, detail: object): Promise<void> {
  await client.query('INSERT INTO audit (who, what, target, why, detail) VALUES ($1, $2, $3, $4, $5::jsonb)', [who, what, target, why, JSON.stringify(detail)])
}
