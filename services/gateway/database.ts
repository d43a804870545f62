import { ensureHeads, migrate, migrateOutbox, type Db } from '@hub/runtime/db'
import { topicsOf, type Region, type Topic } from '@hub/schemas/streams'

/** Makes the gateway's tables and a head of the outbox for every partition that the region writes. @returns the region's topics */
export async function prepareDatabase(db: Db, { region, topicPrefix }: { readonly region: Region; readonly topicPrefix: string }): Promise<Topic[]> {
  await migrateOutbox(db)
  await migrate(db, 'gateway', new URL('./migrations/', import.meta.url))
  const topics = topicsOf(region, topicPrefix)
  await ensureHeads(db, topics.flatMap(({ topic, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))))
  return topics
}
