import type { Contract } from '@hub/schemas/contracts'
import type { DataStream, Region } from '@hub/schemas/streams'
import { grantFor, leastOf, ROW_RULES, type Grant, type Viewer } from '@hub/schemas/visibility'

/** Parts that a party can have in an inspection; `producer` is short for the one that the label names. */
export const PARTY_ROLES = ['producer', 'sampled-unit', 'nominal-producer', 'consignor', 'contractor', 'platform', 'importer'] as const
export type PartyRole = (typeof PARTY_ROLES)[number]

/** What of a stream somebody reads: as whom, and which records. */
export interface Selection {
  readonly stream: DataStream
  readonly viewer: Viewer
  /** Records of this origin alone. */
  readonly region: Region | undefined
  /** Inspection failures that have a party in this region, in this part where one is named. */
  readonly involves: Region | undefined
  readonly role: PartyRole | undefined
}

/** A version in its Avro form. */
export interface Version {
  readonly contract: Contract
  readonly record: Record<string, unknown>
}

/** The same for everybody who is shown the same. */
export function selectionKey({ stream, viewer, region, involves, role }: Selection): string {
  const who = viewer.kind === 'bureau' ? `${viewer.region}${viewer.operator === true ? '+' : ''}` : viewer.kind
  return [stream, who, region, involves, role].join('|')
}

/** What of this version the reader is shown; nothing where it was not asked for or has ended. */
export function grantOf(selection: Selection, { contract, record }: Version, today: number): Grant {
  if (contract.role === 'stub' || !isAskedFor(selection, record)) return 'nothing'
  return grantFor(contract, record, selection.viewer, today)
}

export function isShown(grant: Grant): boolean {
  return grant !== 'nothing' && grant !== 'key'
}

/** An earlier version is shown to those alone who may see what became of the record, too. */
export function grantOfEarlier(grant: Grant, selection: Selection, now: Version | undefined, today: number): Grant {
  if (now === undefined || now.contract.role === 'stub') return 'nothing'
  return leastOf(grant, grantFor(now.contract, now.record, selection.viewer, today))
}

/** Whether what a reader within the hub sees of a record never shrinks before the record ends. */
export function isSteady({ stream, viewer }: Selection): boolean {
  if (viewer.kind === 'public') return false
  return new Set(Object.entries(ROW_RULES[stream]).flatMap(([state, { bureau, involved, operator }]) => (state === 'ended' ? [] : [bureau, involved, operator]))).size === 1
}

function isAskedFor({ involves, role }: Selection, record: Record<string, unknown>): boolean {
  if (involves === undefined && role === undefined) return true
  const parties = (record['parties'] ?? []) as readonly { region?: string | null; role: string }[]
  const part = role === 'producer' ? 'nominal-producer' : role
  return parties.some((party) => (involves === undefined || party.region === involves) && (part === undefined || party.role === part))
}
