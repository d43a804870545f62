import { createCodec } from '@hub/runtime/codec'
import type { Log } from '@hub/runtime/log'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { createPreparing, type Preparing } from '../publish/prepare.ts'

interface Options extends Pick<Preparing, 'region' | 'topicPrefix'> {
  readonly registryUrl: string
  readonly stateDir: string
}

/** What a thread needs to turn rows into events; it shares no codec with the others. */
export async function openPreparing(options: Options, log: Log): Promise<Preparing> {
  const codec = await createCodec({ registryUrl: options.registryUrl, cacheDir: options.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
  return createPreparing(codec, options)
}
