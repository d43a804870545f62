import type { SourceStatus } from '@hub/schemas/generated/source-status'
import type { Region } from '@hub/schemas/streams'
import type { SourceFacts } from './completeness.ts'

const STREAM = 'credit-blacklist'

type HandOver = NonNullable<SourceStatus['lastHandOver']>

/** Hand-overs that are remembered while they are on their way; what a source wrote before the older ones comes first. */
const REMEMBERED = 16

interface Source {
  status: SourceStatus
  /** In the order in which they were told. */
  readonly arriving: HandOver[]
  /** Newest hand-over of which all is here; ms UTC. */
  arrivedAt: number | undefined
}

/** What the regions say of their sources of credit lists. A hand-over counts once everything the source wrote before it is here. */
export class Sources {
  readonly #regions = new Map<string, Map<string, Source>>()

  /** Takes what a region says; an older word than the last is passed over. */
  note(status: SourceStatus): void {
    let sources = this.#regions.get(status.region)
    if (sources === undefined) this.#regions.set(status.region, sources = new Map())
    const known = sources.get(status.sourceSystem)
    if (known !== undefined && known.status.version > status.version) return
    const arriving = known?.arriving ?? []
    if (status.lastHandOver !== null) {
      if (arriving.length === REMEMBERED) arriving.pop()
      arriving.push(status.lastHandOver)
    }
    sources.set(status.sourceSystem, { status, arriving, arrivedAt: known?.arrivedAt })
  }

  /**
   * The declared sources of a region.
   * @param lastSequence of a topic (without a prefix) and partition: the highest that was taken; undefined for what is not read here
   */
  of(region: Region, lastSequence: (topic: string, partition: number) => number | undefined): SourceFacts[] {
    const facts: SourceFacts[] = []
    for (const source of this.#regions.get(region)?.values() ?? []) {
      const { sourceSystem, declared, streams, cadenceSeconds, baselineCompleteAt } = source.status
      if (!declared || !streams.includes(STREAM)) continue
      const newest = source.arriving.findLastIndex(({ partitions }) => partitions.every((one) => (lastSequence(one.topic, one.partition) ?? Infinity) >= one.lastSequence))
      if (newest >= 0) source.arrivedAt = source.arriving.splice(0, newest + 1).at(-1)!.at
      facts.push({ sourceSystem, cadenceSeconds, baselineComplete: baselineCompleteAt !== null, lastHandOverAt: source.arrivedAt })
    }
    return facts
  }
}
