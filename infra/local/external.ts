import type { Credentials, RegionUser } from './region-users.ts'

/** What the environment names of the stack; each part may be named alone. */
export interface External {
  kafka?: { brokers: string, admin: Credentials, regions: Record<RegionUser, Credentials> }
  registryUrl?: string
  adminDatabaseUrl?: string
}

/**
 * Reads `HUB_KAFKA_BROKERS` with `HUB_KAFKA_USERNAME` and `HUB_KAFKA_PASSWORD`, `HUB_REGISTRY_URL` and `HUB_DATABASE_URL`. A
 * region's own Kafka user is `HUB_KAFKA_USERNAME_<REGION>` with its password; without it the region uses the common one.
 */
export function readExternal(regions: readonly RegionUser[], env: NodeJS.ProcessEnv = process.env): External {
  const credentials = (suffix: string): Credentials | undefined => {
    const username = env[`HUB_KAFKA_USERNAME${suffix}`]
    return username ? { username, password: env[`HUB_KAFKA_PASSWORD${suffix}`] ?? '' } : undefined
  }
  const admin = credentials('') ?? { username: '', password: '' }
  return {
    ...(env['HUB_KAFKA_BROKERS'] ? {
      kafka: {
        brokers: env['HUB_KAFKA_BROKERS'],
        admin,
        regions: Object.fromEntries(regions.map((region) => [region, credentials(`_${region.toUpperCase()}`) ?? admin])) as Record<RegionUser, Credentials>,
      },
    } : {}),
    ...(env['HUB_REGISTRY_URL'] ? { registryUrl: env['HUB_REGISTRY_URL'] } : {}),
    ...(env['HUB_DATABASE_URL'] ? { adminDatabaseUrl: env['HUB_DATABASE_URL'] } : {}),
  }
}
