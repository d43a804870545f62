import { localPorts } from '@hub/local/addresses'
import { isFree } from '@hub/local/ports'

/** The first of as many free ports as a hub takes, below the range the kernel gives to outgoing connections. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 11_900)
    const { stack, regions } = localPorts(first)
    const wanted = [...Object.values(stack), ...Object.values(regions).flatMap((region) => Object.values(region))]
    if ((await Promise.all(wanted.map(isFree))).every(Boolean)) return first
  }
}
