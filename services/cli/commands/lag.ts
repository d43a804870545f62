import type { PartitionPosition } from '@hub/client'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { clientOf, regionsWith, toRegion, type Settings } from '../settings.ts'
import type { Region } from '@hub/schemas/streams'

export function addLag(program: Command, cli: Cli): void {
  cli.command(program, 'lag', '各地副本落后多少', 'how far each replica is behind')
    .option('--region <region>', '只看一个地区的副本 · one replica only')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const known = settings()
      const regions = options['region'] === undefined ? regionsWith(known, 'gateway').map(({ region }) => region) : [toRegion(options['region'] as string)]
      const replicas = await Promise.all(regions.map(async (region) => ({ replica: region, partitions: await readPositions(known, region) })))
      out.result(replicas, () => describe(replicas))
      return replicas.some(({ partitions }) => partitions.some(({ pausedReason }) => pausedReason)) ? EXIT.runtime : EXIT.ok
    }))
}

async function readPositions(settings: Settings, region: Region): Promise<readonly PartitionPosition[]> {
  const { partitions } = await clientOf(settings, region, 'operator').position()
  return partitions
}

/** A row per topic, a column per replica: events still to come; below, what does not move. */
function describe(replicas: { replica: Region, partitions: readonly PartitionPosition[] }[]): string {
  const topics = [...new Set(replicas.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)))]
  const rows = topics.map((topic) => [topic, ...replicas.map(({ partitions }) => {
    const own = partitions.filter((one) => one.topic === topic)
    const lag = sum(own.map(({ lag }) => lag))
    return own.some(({ pausedReason }) => pausedReason) ? `${lag} ${both('暂停', 'paused')}` : lag
  })])
  const paused = replicas.flatMap(({ replica, partitions }) => partitions.filter(({ pausedReason }) => pausedReason)
    .map(({ topic, partition, pausedReason }) => `${replica}  ${topic}/${partition}  ${pausedReason}`))
  return [table(['主题 topic', ...replicas.map(({ replica }) => `${replica} 落后 lag`)], rows), ...(paused.length === 0 ? [] : ['', both('暂停的分区', 'paused partitions'), ...paused])].join('\n')
}

function sum(values: readonly (string | number)[]): bigint {
  return values.reduce((total, value) => total + BigInt(value), 0n)
}
