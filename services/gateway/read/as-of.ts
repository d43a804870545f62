import { Problem } from '@hub/runtime/http'
import { parseInstant } from '@hub/schemas/read-time'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'

/** The next offset of one partition, with the first characters of its topic's generation where they were given. */
export interface Place {
  readonly offset: bigint
  readonly generation: string | undefined
}

/** What `asOf` asks for: an instant (ms UTC), or positions by `<topic>/<partition>`, topics without prefix. */
export type AsOf = { readonly instant: number } | { readonly vector: ReadonlyMap<string, Place> }

/** One partition of this replica as far as a reading of an earlier position must know it. */
export interface PartitionHere {
  readonly region: string
  /** `<topic>/<partition>`, the topic without prefix. */
  readonly name: string
  readonly generation: string
  readonly nextOffset: bigint
  /** Below it versions are missing here. */
  readonly completeFrom: bigint
  /** Its place in the oldest vector kept, once older ones have been forgotten. */
  readonly keptFrom: bigint | undefined
}

/** Characters of a generation in a position's text: enough to tell two topics of one name apart. */
const GENERATION_CHARS = 8
const MAX_OFFSET = 2n ** 63n - 1n
const PLACE = new RegExp(`^((?:${REGIONS.join('|')})\\.(?:${DATA_STREAMS.join('|')})/\\d{1,4})(?:@([0-9a-f]{${GENERATION_CHARS}}))?:(\\d{1,19})$`)

/** `zj.complaint/4@3f2a9c1b:1042`, or without the generation. */
export function placeText(name: string, { generation, offset }: Place): string {
  return `${name}${generation === undefined ? '' : `@${generation.slice(0, GENERATION_CHARS)}`}:${offset}`
}

/** Positions as `asOf` takes them. */
export function vectorText(places: Iterable<readonly [name: string, place: Place]>): string {
  return [...places].map(([name, place]) => placeText(name, place)).join(',')
}

/** @param now ms UTC. @throws Problem for what is neither, and for an instant that has not come */
export function parseAsOf(text: string, now: number): AsOf {
  // A "+" that was not escaped arrives as a space.
  const instant = parseInstant(text.replace(/ (?=\d\d:\d\d$)/, '+'))
  if (instant !== undefined) {
    if (instant > now) throw new Problem(400, 'ASOF_FUTURE', '所问时间尚未到来 · this time has not come yet', 'Ask for a time in the past, or leave asOf out for the current version.')
    return { instant }
  }
  const vector = new Map<string, Place>()
  for (const part of text.split(',')) {
    const [, name, generation, digits] = PLACE.exec(part) ?? []
    if (name === undefined || vector.has(name) || BigInt(digits!) > MAX_OFFSET) {
      throw new Problem(400, 'ASOF_INVALID', '不是时间也不是位置 · neither a time nor a position', 'An RFC 3339 time with its offset (2026-03-15T10:00:00+08:00, the + as %2B), or positions as GET /v1/position gives them in `text`: zj.complaint/4:1042,… , each partition once.')
    }
    vector.set(name, { offset: BigInt(digits!), generation })
  }
  return { vector }
}

/**
 * The places of a vector that a record's partitions are read at. A region whose partition is not in it is not looked at.
 * @param here the four regions' partitions that could hold the record
 * @throws Problem when this replica cannot say what it was there
 */
export function placesToRead(vector: ReadonlyMap<string, Place>, here: readonly PartitionHere[], expected: readonly string[]): { readonly here: PartitionHere; readonly offset: bigint }[] {
  if (!expected.some((name) => vector.has(name))) {
    throw new Problem(400, 'ASOF_PARTITION_MISSING', '位置中没有该记录所在的分区 · the position lacks the partition of this record', `Give one or more of: ${expected.join(', ')}.`, { partitions: expected })
  }
  return expected.flatMap((name) => {
    const place = vector.get(name)
    if (place === undefined) return []
    const partition = here.find((one) => one.name === name)
    if (partition === undefined || place.offset > partition.nextOffset) {
      throw new Problem(400, 'ASOF_FUTURE', '本副本尚未到达此位置 · this replica has not come to this position yet', `${name} is at ${partition?.nextOffset ?? 0n} here: wait, or ask a replica that is further.`, { partition: name, nextOffset: String(partition?.nextOffset ?? 0n) })
    }
    if (place.generation !== undefined && !partition.generation.startsWith(place.generation)) {
      throw new Problem(410, 'ASOF_OTHER_GENERATION', '主题已重建，旧位置不再有效 · the topic was created anew, its earlier positions mean nothing now', `${name} is of generation ${partition.generation.slice(0, GENERATION_CHARS)} now.`, { partition: name })
    }
    if (place.offset < partition.completeFrom) {
      throw new Problem(410, 'ASOF_INCOMPLETE', '该位置之前的版本在本副本不完整 · this replica lacks versions before a later position', `${name} is complete from ${partition.completeFrom} on.`, { partition: name, completeFrom: String(partition.completeFrom) })
    }
    if (partition.keptFrom !== undefined && place.offset < partition.keptFrom) throw tooOld(`${name} is kept from ${partition.keptFrom} on.`)
    return [{ here: partition, offset: place.offset }]
  })
}

/** The refusal of what is older than history is kept. */
export function tooOld(detail: string): Problem {
  return new Problem(410, 'ASOF_TOO_OLD', '早于本副本保存的历史 · older than the history that is kept here', detail)
}
