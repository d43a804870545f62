import type { Region } from '@hub/schemas/streams'

export interface NdjsonSettings {
  url: string
  key: string
  region: Region
  seed: number
  events: number
  /** Bodies sent at once, each with its part of the events. */
  bodies: number
}

export interface NdjsonResult {
  /** From the first byte sent to the last verdict read. */
  seconds: number
  /** How often each verdict was given. */
  verdicts: Record<string, number>
  /** How many records the events are versions of. */
  records: number
}

/** Events that were published: each a version nobody had. What else was said, as text, when something else was. */
export function acceptedOf({ verdicts }: NdjsonResult): number | string {
  const { accepted = 0, 'new-version': newVersion = 0, ...others } = verdicts
  return Object.keys(others).length === 0 ? accepted + newVersion : JSON.stringify(verdicts)
}
