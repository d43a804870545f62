import type { Item } from '@hub/schemas/log-item'
import { endsShare } from '@hub/schemas/log-item'
import type { Slot } from './slot.ts'

export interface Part {
  readonly slot: Slot
  readonly items: Item[]
}

/** More than one transaction takes, so that the next is at hand, and not much more: it all stays in memory behind a backlog. */
export const QUEUE_LIMITS = { items: 9_000, bytes: 32 * 1024 * 1024 }

/**
 * Everything consumed and not yet applied, first in first out per partition, bounded over all of them.
 * One producer at a time may pass the bound, by one event.
 */
export class Queue {
  readonly #limits: { items: number; bytes: number }
  readonly #waiting = new Map<Slot, Item[]>()
  #items = 0
  #bytes = 0
  #filled = Promise.withResolvers<void>()
  #drained = Promise.withResolvers<void>()

  constructor(limits: { items: number; bytes: number }) {
    this.#limits = limits
  }

  get items(): number {
    return this.#items
  }

  get bytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#items >= this.#limits.items || this.#bytes >= this.#limits.bytes
  }

  push(slot: Slot, item: Item): void {
    const items = this.#waiting.get(slot)
    if (items === undefined) this.#waiting.set(slot, [item])
    else items.push(item)
    this.#items++
    this.#bytes += item.size
    if (this.#items === 1) this.#filled.resolve()
  }

  /** Resolves when something waits, at once if it does already. */
  filled(): Promise<void> {
    return this.#filled.promise
  }

  /** Resolves at the next take or drop. */
  drained(): Promise<void> {
    return this.#drained.promise
  }

  /**
   * Takes up to `max` events. Every waiting partition gets an equal part first, so that a backlog in one holds no other up;
   * what is left of `max` goes to those with more. A part never passes the end of its share.
   */
  take(max: number): Part[] {
    const parts: Part[] = []
    const fair = Math.ceil(max / Math.max(1, this.#waiting.size))
    let left = max
    for (const [slot, items] of this.#waiting) {
      if (left === 0) break
      const count = shareLength(items, Math.min(fair, left))
      parts.push({ slot, items: items.slice(0, count) })
      left -= count
    }
    for (const part of parts) {
      const items = this.#waiting.get(part.slot) ?? []
      const last = part.items.at(-1)
      if (left > 0 && last !== undefined && !endsShare(last)) {
        const more = items.slice(part.items.length, part.items.length + left)
        const count = shareLength(more, left)
        for (let i = 0; i < count; i++) part.items.push(more[i]!)
        left -= count
      }
      this.#waiting.delete(part.slot)
      // Re-inserted at the end: the next take begins with the partitions this one did not reach.
      if (part.items.length < items.length) this.#waiting.set(part.slot, items.slice(part.items.length))
      this.#release(part.items)
    }
    return parts
  }

  /** Forgets what waits for one partition. */
  drop(slot: Slot): void {
    const items = this.#waiting.get(slot)
    if (items === undefined) return
    this.#waiting.delete(slot)
    this.#release(items)
  }

  /** Forgets everything. */
  clear(): void {
    for (const slot of [...this.#waiting.keys()]) this.drop(slot)
  }

  #release(items: readonly Item[]): void {
    this.#items -= items.length
    for (const item of items) this.#bytes -= item.size
    if (this.#items === 0) this.#filled = Promise.withResolvers<void>()
    this.#drained.resolve()
    this.#drained = Promise.withResolvers<void>()
  }
}

function shareLength(items: readonly Item[], max: number): number {
  const end = Math.min(items.length, max)
  for (let i = 0; i < end; i++) if (endsShare(items[i]!)) return i + 1
  return end
}
