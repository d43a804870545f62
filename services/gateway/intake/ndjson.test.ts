import { expect, test } from 'vitest'
import { splitLines } from './ndjson.ts'

test('lines are the same however the body is cut into chunks', async () => {
  const body = '{"a":1}\n\n  \r\n{"b":"中文"}\r\n{"c":3}'
  const whole = await collect([body])
  expect(whole).toEqual([[1, '{"a":1}'], [4, '{"b":"中文"}\r'], [5, '{"c":3}']])
  const bytes = Buffer.from(body)
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
    expect(await collect(chunks)).toEqual(whole)
  }
})

test('a line beyond the limit is named and skipped, the next one is whole again', async () => {
  const long = 'x'.repeat(101)
  expect(await collect([`ok\n${long.slice(0, 60)}`, `${long.slice(60)}\nnext\n${'y'.repeat(100)}`])).toEqual([
    [1, 'ok'],
    [2, undefined],
    [3, 'next'],
    [4, 'y'.repeat(100)],
  ])
})

test('an empty body has no lines', async () => {
  expect(await collect([])).toEqual([])
  expect(await collect(['\n\n'])).toEqual([])
})

test('a body that breaks off never yields its unfinished line', async () => {
  const seen: string[] = []
  const reading = async (): Promise<void> => {
    for await (const lines of splitLines(broken(), 100)) for (const line of lines) seen.push(String(line.bytes))
  }
  await expect(reading()).rejects.toThrow('aborted')
  expect(seen).toEqual(['{"a":1}'])
})

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from('{"a":1}\n{"b":2}')
  throw new Error('aborted')
}

async function collect(chunks: (string | Buffer)[]): Promise<[number, string | undefined][]> {
  const result: [number, string | undefined][] = []
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  for await (const lines of splitLines(source(), 100)) for (const line of lines) result.push([line.number, line.bytes?.toString()])
  return result
}
