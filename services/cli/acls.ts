import { HubError } from '@hub/runtime/errors'
import type { AclDeclaration, Admin } from '@hub/runtime/kafka'
import { REGIONS, type Region, type Topic } from '@hub/schemas/streams'

/** The Kafka principal of each region, `User:<name>`. */
export type Principals = Readonly<Record<Region, string>>

/**
 * What a region may do: write its own topics, named one by one; read every topic of the hub; join, and throw away, consumer groups whose
 * name begins with its own, with or without the prefix of the topics.
 */
export function aclsOfRegion(region: Region, principal: string, topics: readonly Topic[], topicPrefix: string): AclDeclaration[] {
  const groups = [...new Set([`${region}.`, `${topicPrefix}${region}.`])]
  return [
    ...topics.map((one): AclDeclaration =>
      ({ principal, resource: 'topic', name: one.topic, pattern: 'literal', operations: one.region === region ? ['write', 'read', 'describe'] : ['read', 'describe'] })),
    ...groups.map((name): AclDeclaration => ({ principal, resource: 'group', name, pattern: 'prefixed', operations: ['read', 'describe', 'delete'] })),
  ]
}

/** The rights that are still to be given; `enforced` is false where the cluster has no authorizer and everybody may do everything. */
export async function missingAcls(admin: Admin, topics: readonly Topic[], topicPrefix: string, principals: Principals): Promise<{ missing: AclDeclaration[], enforced: boolean }> {
  try {
    const missing = await Promise.all(REGIONS.map(async (region) => {
      const present = new Set((await admin.aclsOf(principals[region])).flatMap((acl) => acl.operations.map((operation) => keyOf(acl, operation))))
      return aclsOfRegion(region, principals[region], topics, topicPrefix)
        .map((acl) => ({ ...acl, operations: acl.operations.filter((operation) => !present.has(keyOf(acl, operation))) }))
        .filter(({ operations }) => operations.length > 0)
    }))
    return { missing: missing.flat(), enforced: true }
  } catch (error) {
    if (error instanceof HubError && error.code === 'NO_AUTHORIZER') return { missing: [], enforced: false }
    throw error
  }
}

function keyOf({ resource, name, pattern }: AclDeclaration, operation: string): string {
  return `${operation} ${resource} ${pattern} ${name}`
}
