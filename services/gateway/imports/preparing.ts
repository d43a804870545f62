import { createCodec, type Writer } from '@hub/runtime/codec'
import type { Log } from '@hub/runtime/log'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { isDataStream, type Region } from '@hub/schemas/streams'
import type { Preparing } from '../publish/prepare.ts'

/** What a thread needs to turn rows into events. */
export async function openPreparing({ region, topicPrefix, registryUrl, stateDir }: { region: Region, topicPrefix: string, registryUrl: string, stateDir: string }, log: Log): Promise<Preparing> {
  const codec = await createCodec({ registryUrl, cacheDir: stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
  const writers = await Promise.all(ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream)).map(async ({ fullName }): Promise<[string, Writer]> => [fullName, await codec.writer(fullName)]))
  return { region, topicPrefix, writers: new Map(writers) }
}
