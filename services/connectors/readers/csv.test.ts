import { expect, test } from 'vitest'
import { BOUNDS } from './bounds.ts'
import { readCsv } from './csv.ts'

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function rows(text: string, size = text.length * 3): Promise<string[][]> {
  const all: string[][] = []
  for await (const piece of readCsv(pieces(text, size))) all.push(...piece.map(({ cells }) => [...cells]))
  return all
}

/** What was read before it broke off, and why it did. */
async function broken(text: string): Promise<{ read: number, rule: string, row: number }> {
  let read = 0
  try {
    for await (const piece of readCsv(pieces(text, 64 * 1024))) read += piece.length
  } catch (error) {
    const { rule, row } = error as { rule: string, row: number }
    return { read, rule, row }
  }
  throw new Error('it was read to its end')
}

test.each<[what: string, text: string, cells: string[][]]>([
  ['plain', 'a,b\nc,d\n', [['a', 'b'], ['c', 'd']]],
  ['carriage returns, the last line without an end', 'a,b\r\nc,d', [['a', 'b'], ['c', 'd']]],
  ['a byte order mark', '\ufeffa,b\n', [['a', 'b']]],
  ['blank lines are none, empty cells are some', 'a\n\n\r\n,\nb\n', [['a'], ['', ''], ['b']]],
  ['quoted separators, quotes and line ends', '"a,1","say ""so""","x\r\ny"\r\nz,,\r\n', [['a,1', 'say "so"', 'x\r\ny'], ['z', '', '']]],
  ['an empty quoted cell, first and last', '"",b,""\n', [['', 'b', '']]],
  ['a quote inside an unquoted cell is one', '5"屏,b"c"\n', [['5"屏', 'b"c"']]],
  ['a cell that goes on behind its closing quote', '"a"b,c\n', [['"a"b', 'c']]],
  ['a quote that closes at the very end', 'a,"b"', [['a', 'b']]],
  ['another number of cells than the first line', 'a,b\nc\nd,e,f\n', [['a', 'b'], ['c'], ['d', 'e', 'f']]],
])('%s', async (_, text, cells) => {
  expect(await rows(text)).toEqual(cells)
  // In pieces that end anywhere. An encoding is told by the first ones, so all of them come to one; behind enough text they do not.
  const before = `${'x'.repeat(999)}\n`.repeat(Math.ceil(BOUNDS.headBytes / 1000) + 1)
  for (const size of [1_001, 64 * 1024 + 1]) expect((await rows(before + text.replace('\ufeff', ''), size)).slice(-cells.length)).toEqual(cells)
})

test('pieces that end at each place of a record', async () => {
  const record = '"a,1","say ""so""","x\r\ny",z\r\n'
  const before = 'x,y\n'.repeat(BOUNDS.headBytes / 4)
  for (let offset = 0; offset < record.length; offset++) {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(before)
      yield Buffer.from(record.slice(0, offset))
      yield Buffer.from(record.slice(offset))
    }
    let last: readonly string[] = []
    for await (const piece of readCsv(source())) last = piece.at(-1)!.cells
    expect([offset, last]).toEqual([offset, ['a,1', 'say "so"', 'x\r\ny', 'z']])
  }
})

test('a quote that never ends, a line without end and too many columns stop it behind the rows before', async () => {
  expect(await broken('a,b\nc,"d\ne,f\n')).toEqual({ read: 1, rule: 'broken-quotes', row: 2 })
  expect(await broken(`a,b\n"${'x\n'.repeat(BOUNDS.lineBytes)}`)).toEqual({ read: 1, rule: 'line-too-long', row: 2 })
  expect(await broken(`a,b\n${'x'.repeat(BOUNDS.lineBytes + 1)}\nc,d\n`)).toEqual({ read: 1, rule: 'line-too-long', row: 2 })
  expect(await broken(`a,b\n${','.repeat(BOUNDS.columns)}\nc,d\n`)).toEqual({ read: 1, rule: 'too-many-columns', row: 2 })
})

test('what a file that breaks off began is no row', async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${'甲,乙\n'.repeat(BOUNDS.headBytes / 7)}丙`)
    yield Buffer.from([0xff, 0x0a])
  }
  let last: readonly string[] = []
  await expect(async () => {
    for await (const piece of readCsv(source(), ',', 'utf-8')) last = piece.at(-1)!.cells
  }).rejects.toMatchObject({ rule: 'invalid-encoding' })
  expect(last).toEqual(['甲', '乙'])
})
