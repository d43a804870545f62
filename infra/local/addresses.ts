import { HOST } from './ports.ts'
import type { RegionUser } from './region-users.ts'

/** 43<GB code − 30>0, as design 8 says. */
export const GATEWAY_PORTS: Record<RegionUser, number> = { sh: 4310, js: 4320, zj: 4330, ah: 4340 }

/** 43<GB code − 30>1. */
export const LOOKUP_PORTS: Record<RegionUser, number> = { sh: 4311, js: 4321, zj: 4331, ah: 4341 }

/** 43<GB code − 30>2. */
export const ANNOUNCER_PORTS: Record<RegionUser, number> = { sh: 4312, js: 4322, zj: 4332, ah: 4342 }

export function announcerUrl(region: RegionUser): string {
  return `http://${HOST}:${ANNOUNCER_PORTS[region]}`
}

export function lookupUrl(region: RegionUser): string {
  return `http://${HOST}:${LOOKUP_PORTS[region]}`
}

export function gatewayUrl(region: RegionUser): string {
  return `http://${HOST}:${GATEWAY_PORTS[region]}`
}

export function databaseName(region: RegionUser): string {
  return `hub_${region}`
}
