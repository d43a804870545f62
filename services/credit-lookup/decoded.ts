import type { Codec } from '@hub/runtime/codec'
import { HubError } from '@hub/runtime/errors'
import { type Contract, contractByName } from '@hub/schemas/contracts'

/** A wire value of the replica, which was decoded once before it came there. @throws HubError when it cannot be, retriable while the registry is silent */
export async function decoded(codec: Codec, wire: Buffer): Promise<{ readonly contract: Contract; readonly record: Record<string, unknown> }> {
  for (;;) {
    const found = codec.decode(wire)
    if (found.ok) return { contract: contractByName(found.fullName)!, record: found.record }
    if (found.reason !== undefined) throw new HubError('ROW_UNDECODABLE', `a current row does not decode: ${found.reason}`)
    await found.pending
  }
}
