import { complaints, type ComplaintEvent } from '../data/generate.ts'
import type { Region } from '@hub/schemas/streams'

/** The first versions of so many complaints, one record each: for loads whose requests may overtake each other. */
export function newComplaints(count: number, seed: number, region: Region): ComplaintEvent[] {
  const events: ComplaintEvent[] = []
  for (const event of complaints(Infinity, seed, region)) {
    if (event.kind === 'original') events.push(event)
    if (events.length === count) break
  }
  return events
}

/** The generator's own mix, about 2.7 versions of each record, in order. */
export function complaintVersions(count: number, seed: number, region: Region): ComplaintEvent[] {
  return [...complaints(count, seed, region)]
}
