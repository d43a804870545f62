import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSpool, prepareSpoolDir } from './spool.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'spool-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test.each([[1 << 20, 0], [50, 1], [1, 1]])('with %d bytes of memory it gives back all lines in order, from %d file(s)', async (memory, files) => {
  const lines = Array.from({ length: 40 }, (_, i) => `{"line":${i},"zh":"重复"}\n`)
  {
    await using spool = createSpool(dir, memory)
    for (const line of lines) await spool.write(line)
    expect(await readdir(dir)).toHaveLength(files)
    expect(spool.bytes).toBe(Buffer.byteLength(lines.join('')))
    expect(await text(spool.read())).toBe(lines.join(''))
  }
  expect(await readdir(dir)).toEqual([])
})

test('a reader that goes away in the middle leaves no file', async () => {
  {
    await using spool = createSpool(dir, 1)
    await spool.write('x'.repeat(1 << 20))
    const reader = spool.read()
    for await (const _ of reader) break
  }
  expect(await readdir(dir)).toEqual([])
})

test('what a killed process left is removed at start', async () => {
  const spools = await prepareSpoolDir(dir)
  await writeFile(join(spools, 'left.ndjson'), 'x')
  expect(await prepareSpoolDir(dir)).toBe(spools)
  expect(await readdir(spools)).toEqual([])
})
