import type { DataStream, Region } from '@hub/schemas/streams'

/**
 * Whether a gateway of `region` serves a record of `origin` (design 6): an inspection failure that is not published is served where it comes
 * from and in the regions of its parties alone. `body` is its JSON form.
 */
export function isServed(stream: DataStream, origin: string, body: Readonly<Record<string, unknown>>, region: Region): boolean {
  if (stream !== 'inspection-failure' || origin === region || body['publication'] === 'published') return true
  return (body['parties'] as readonly { region?: string | null }[]).some((party) => party.region === region)
}
