import { expect, test, vi } from 'vitest'
import { CommitUnavailableError, createGroupCommit } from './group-commit.ts'

test('what waits while one transaction commits shares the next one, in order, up to the bound', async () => {
  const gate = Promise.withResolvers<void>()
  const batches: number[][] = []
  await using group = create(async (items) => {
    batches.push(items)
    if (batches.length === 1) await gate.promise
    return items.map((n) => n * 10)
  })
  const first = group.submit([1], 5000)
  await vi.waitFor(() => expect(batches).toHaveLength(1))
  const others = [group.submit([2, 3], 5000), group.submit([4], 5000), group.submit([5, 6], 5000)]
  gate.resolve()
  expect(await Promise.all([first, ...others])).toEqual([[10], [20, 30], [40], [50, 60]])
  expect(batches).toEqual([[1], [2, 3, 4], [5, 6]])
  expect(group.waiting).toBe(0)
})

test('requests of one turn of the event loop share a transaction', async () => {
  const batches: number[][] = []
  await using group = create(async (items) => (batches.push(items), items))
  await Promise.all([group.submit([1], 5000), group.submit([2], 5000)])
  expect(batches).toEqual([[1, 2]])
})

test('a transient failure is tried again with the same items', async () => {
  let attempts = 0
  await using group = create(async (items) => {
    if (++attempts < 3) throw new Error('transient')
    return items
  })
  expect(await group.submit([1], 5000)).toEqual([1])
  expect(attempts).toBe(3)
})

test('nothing is acknowledged after the deadline, and what still waited is not tried any more', async () => {
  const seen: number[] = []
  await using group = create(async (items) => {
    seen.push(...items)
    throw new Error('transient')
  })
  await expect(group.submit([1], 150)).rejects.toBeInstanceOf(CommitUnavailableError)
  const attempts = seen.length
  await expect(group.submit([2], 150)).rejects.toBeInstanceOf(CommitUnavailableError)
  expect(seen.slice(attempts)).not.toContain(1)
  expect(group.waiting).toBe(0)
})

test('a commit that hangs is given up at the deadline', async () => {
  const gate = Promise.withResolvers<void>()
  await using group = create(async (items) => (await gate.promise, items))
  await expect(group.submit([1], 120)).rejects.toBeInstanceOf(CommitUnavailableError)
  gate.resolve()
})

test('what one publisher sent fails nobody else', async () => {
  await using group = create(async (items) => {
    if (items.includes(13)) throw new Error('refused by the database')
    return items
  })
  const results = await Promise.allSettled([group.submit([1], 5000), group.submit([13], 5000), group.submit([2], 5000)])
  expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('beyond its bound new work is turned away, what waits is kept', async () => {
  const gate = Promise.withResolvers<void>()
  await using group = create(async (items) => (await gate.promise, items))
  const kept = [group.submit([1, 2, 3], 5000), group.submit([4, 5, 6], 5000)]
  await expect(group.submit([7, 8, 9, 10, 11], 5000)).rejects.toBeInstanceOf(CommitUnavailableError)
  gate.resolve()
  expect(await Promise.all(kept)).toEqual([[1, 2, 3], [4, 5, 6]])
})

test('closing waits for what was taken in', async () => {
  const group = create(async (items) => items)
  const last = group.submit([1], 5000)
  await group[Symbol.asyncDispose]()
  expect(await last).toEqual([1])
  await expect(group.submit([2], 5000)).rejects.toBeInstanceOf(CommitUnavailableError)
})

function create(commit: (items: number[]) => Promise<number[]>) {
  return createGroupCommit({
    commit,
    isTransient: (error) => (error as Error).message === 'transient',
    onRetry: () => {},
    maxItems: 3,
    maxWaiting: 10,
  })
}
