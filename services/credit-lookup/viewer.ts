import type { Caller, Role } from '@hub/runtime/http'
import type { Region } from '@hub/schemas/streams'
import type { Viewer } from '@hub/schemas/visibility'

/** Roles that look credit up; whoever has one of the bureau's own looks as the bureau of this region. */
export const LOOKING: readonly Role[] = ['reader', 'officer', 'approver', 'operator']

/** As whom a caller looks. */
export function viewerOf(caller: Caller, region: Region): Viewer {
  const operator = caller.roles.includes('operator')
  if (operator && !caller.roles.some((role) => role !== 'operator' && LOOKING.includes(role))) return { kind: 'operator' }
  return { kind: 'bureau', region, operator }
}
