export const REGION_USERS = ['sh', 'js', 'zj', 'ah'] as const
export type RegionUser = typeof REGION_USERS[number]

export interface Credentials { username: string, password: string }
