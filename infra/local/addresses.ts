import { DEFAULT_PORTS, HOST, type StackPorts } from './ports.ts'
import { REGION_USERS, type RegionUser } from './region-users.ts'

/** Where the services of one region listen. */
export interface RegionPorts { gateway: number, lookup: number, announcer: number }

export interface LocalPorts { stack: StackPorts, regions: Record<RegionUser, RegionPorts> }

/** 43<GB code − 30>0, as design 8 says. */
const REGION_TENS = { sh: 4310, js: 4320, zj: 4330, ah: 4340 }
/** How many ports from the first one on are set apart. */
export const PORTS_SET_APART = 50

/** The ports of a local hub: the usual ones, or all from `first` on. */
export function localPorts(first?: number): LocalPorts {
  const stack = first === undefined ? DEFAULT_PORTS : { kafka: first, kafkaController: first + 1, registry: first + 2, postgres: first + 3 }
  return {
    stack,
    regions: Object.fromEntries(REGION_USERS.map((region, n): [RegionUser, RegionPorts] => {
      const gateway = first === undefined ? REGION_TENS[region] : first + 10 * (n + 1)
      return [region, { gateway, lookup: gateway + 1, announcer: gateway + 2 }]
    })) as LocalPorts['regions'],
  }
}

export function urlOf(port: number): string {
  return `http://${HOST}:${port}`
}

export function databaseName(region: RegionUser): string {
  return `hub_${region}`
}
