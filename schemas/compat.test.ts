import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkReleased, incompatibilities, release } from './compat.ts'
import type { Contract } from './contracts.ts'

type Field = { name: string; type: unknown; default?: unknown; aliases?: string[]; doc?: string }

const record = (fields: Field[], name = 'R'): object => ({ type: 'record', name, namespace: 'test', fields })
const base: Field[] = [{ name: 'id', type: 'string' }, { name: 'note', type: ['null', 'string'], default: null }]
const party = (fields: Field[]): object => ({ type: 'record', name: 'Party', fields })
const level = (symbols: string[], fallback?: string): object => ({ type: 'enum', name: 'Level', symbols, ...(fallback === undefined ? {} : { default: fallback }) })

describe('compatible both ways', () => {
  test.each<[string, Field[], Field[]]>([
    ['the same', base, base],
    ['a new optional field', base, [...base, { name: 'extra', type: ['null', 'int'], default: null }]],
    ['a new list', base, [...base, { name: 'items', type: { type: 'array', items: 'string' }, default: [] }]],
    ['an optional field gone', base, base.slice(0, 1)],
    ['other words', base, base.map((field) => ({ ...field, doc: 'other' }))],
    ['another order', base, base.toReversed()],
    ['a new optional field inside a record', [{ name: 'p', type: party(base) }], [{ name: 'p', type: party([...base, { name: 'extra', type: ['null', 'int'], default: null }]) }]],
    ['a symbol more where readers have a default', [{ name: 'l', type: level(['A', 'B'], 'A') }], [{ name: 'l', type: level(['A', 'B', 'C'], 'A') }]],
  ])('%s', (_what, older, newer) => {
    expect(incompatibilities(record(older), record(newer))).toEqual([])
  })
})

describe('incompatible, with the field named', () => {
  test.each<[string, Field[], Field[], RegExp]>([
    ['a new field without default', base, [...base, { name: 'extra', type: 'int' }], /^extra is new and has no default/],
    ['a required field gone', base, base.slice(1), /^id is gone/],
    ['a field renamed', base, [base[0]!, { name: 'remark', type: ['null', 'string'], default: null, aliases: ['note'] }], /^remark is note renamed/],
    ['a default that is a value', base, [...base, { name: 'n', type: 'int', default: 0 }], /^n is new, so its default must be null/],
    ['a wider number', [{ name: 'n', type: 'int' }], [{ name: 'n', type: 'long' }], /^n changed from int to long/],
    ['text for bytes', [{ name: 'n', type: 'bytes' }], [{ name: 'n', type: 'string' }], /^n changed from bytes to string/],
    ['a date that was a number', [{ name: 'n', type: 'int' }], [{ name: 'n', type: { type: 'int', logicalType: 'date' } }], /^n changed from int to int \(date\)/],
    ['another logical type', [{ name: 'n', type: ['null', { type: 'long', logicalType: 'timestamp-millis' }] }], [{ name: 'n', type: ['null', { type: 'long', logicalType: 'timestamp-micros' }] }], /^n changed .*millis.*micros/],
    ['required that was optional', [{ name: 'n', type: ['null', 'string'], default: null }], [{ name: 'n', type: 'string' }], /^n changed from \[null, string\] to string/],
    ['optional that was required', [{ name: 'n', type: 'string' }], [{ name: 'n', type: ['null', 'string'], default: null }], /^n changed from string to \[null, string\]/],
    ['a branch more', [{ name: 'n', type: ['null', 'string'] }], [{ name: 'n', type: ['null', 'string', 'int'] }], /^n changed/],
    ['a symbol gone, even with a default', [{ name: 'l', type: level(['A', 'B'], 'A') }], [{ name: 'l', type: level(['A'], 'A') }], /^l lost the symbol B/],
    ['a symbol more without default', [{ name: 'l', type: level(['A']) }], [{ name: 'l', type: level(['A', 'B']) }], /^l gained the symbol B/],
    ['inside an optional record', [{ name: 'p', type: ['null', party(base)] }], [{ name: 'p', type: ['null', party(base.slice(1))] }], /^p\.id is gone/],
    ['inside a list', [{ name: 'p', type: { type: 'array', items: party(base) } }], [{ name: 'p', type: { type: 'array', items: party([...base, { name: 'x', type: 'int' }]) } }], /^p\[\]\.x is new and has no default/],
    ['a fixed of another size', [{ name: 'f', type: { type: 'fixed', name: 'F', size: 2 } }], [{ name: 'f', type: { type: 'fixed', name: 'F', size: 3 } }], /^f changed/],
    ['an inner record renamed', [{ name: 'p', type: party(base) }], [{ name: 'p', type: { ...party(base), name: 'Firm' } }], /^p changed from record test.Party to record test.Firm/],
  ])('%s', (_what, older, newer, message) => {
    expect(incompatibilities(record(older), record(newer))).toEqual([expect.stringMatching(message)])
  })

  test('another name', () => {
    expect(incompatibilities(record(base), record(base, 'S'))).toEqual([expect.stringMatching(/test\.R.*test\.S/)])
  })

  test('all at once', () => {
    expect(incompatibilities(record(base), record([{ name: 'x', type: 'int' }, { name: 'y', type: 'int' }]))).toHaveLength(3)
  })
})

describe('released versions', () => {
  test('every contract of the hub is released and fits all its versions', async () => {
    expect(await checkReleased()).toEqual([])
  })

  test('a contract is released once, then checked against every version', async () => {
    await using folder = await temporary()
    const first = contract(base)
    expect(await checkReleased(folder.url, [first])).toEqual([{ subject: 'test.R', message: expect.stringMatching(/^not released yet.*test\.R\/1\.json/) }])
    expect(await release(folder.url, [first])).toEqual(['test.R/1.json'])
    expect(await checkReleased(folder.url, [first])).toEqual([])
    expect(await release(folder.url, [first])).toEqual([])

    const grown = contract([...base, { name: 'extra', type: ['null', 'int'], default: null }])
    expect(await checkReleased(folder.url, [grown])).toEqual([{ subject: 'test.R', message: expect.stringContaining('test.R/2.json') }])
    expect(await release(folder.url, [grown])).toEqual(['test.R/2.json'])
    expect(await readdir(join(folder.path, 'test.R'))).toEqual(['1.json', '2.json'])
  })

  test('what the newest version allows, an older one may forbid', async () => {
    await using folder = await temporary()
    await release(folder.url, [contract(base)])
    await release(folder.url, [contract(base.slice(0, 1))])
    const back = contract([base[0]!, { name: 'note', type: ['null', 'int'], default: null }])
    expect(await checkReleased(folder.url, [back])).toEqual([{ subject: 'test.R', message: expect.stringMatching(/^version 1: note changed/) }])
    await expect(release(folder.url, [back])).rejects.toThrow(/test\.R: version 1: note/)
  })

  test('a contract that vanished and a file of another contract are noticed', async () => {
    await using folder = await temporary()
    await release(folder.url, [contract(base)])
    expect(await checkReleased(folder.url, [])).toEqual([{ subject: 'test.R', message: expect.stringContaining('no contract any more') }])
    await mkdir(join(folder.path, 'test.S'))
    await writeFile(join(folder.path, 'test.S', '1.json'), JSON.stringify(record(base)))
    await expect(checkReleased(folder.url, [contract(base), { ...contract(base), fullName: 'test.S' }])).rejects.toThrow(/test\.S\/1\.json is the schema of test\.R/)
  })
})

function contract(fields: Field[]): Contract {
  return { fullName: 'test.R', subject: 'test.R', stream: 'control', role: 'control', schema: record(fields) as Contract['schema'], schemaText: JSON.stringify(record(fields)) }
}

async function temporary(): Promise<AsyncDisposable & { path: string; url: URL }> {
  const path = await mkdtemp(join(tmpdir(), 'released-'))
  return { path, url: pathToFileURL(`${path}/`), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
