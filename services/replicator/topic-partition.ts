import type { Slot } from './slot.ts'

export type TopicPartition = Pick<Slot, 'topic' | 'partition'>

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
