import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readContractFiles } from './contract-files.ts'
import { render, staleFiles } from './generate.ts'

const ROOT = fileURLToPath(new URL('.', import.meta.url))

test('what is committed is what the contracts give', () => {
  expect(staleFiles(ROOT)).toEqual([])
})

describe('a stale file is named', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hub-schemas-'))
    cpSync(ROOT, root, { recursive: true, filter: (path) => !path.includes('node_modules') })
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  test('after a change of a contract', () => {
    edit('tally/tally.avsc', (text) => text.replace('"maximum": 1000000', '"maximum": 2000000').replace('"column": "issue"', '"column": "issue_class"'))
    expect(staleFiles(root)).toEqual(['schemas/generated/schemas.ts', 'schemas/generated/tables.ts'])
  })

  test('after a change by hand, when one is missing and when one is left over', () => {
    edit('generated/tally.ts', (text) => text.replace('count: number', 'count: string'))
    rmSync(join(root, 'generated/recall.ts'))
    writeFileSync(join(root, 'generated/gone.ts'), '')
    expect(staleFiles(root).sort()).toEqual(['schemas/generated/gone.ts', 'schemas/generated/recall.ts', 'schemas/generated/tally.ts'])
  })

  test('and a contract that breaks a rule is not generated from', () => {
    edit('tally/tally.avsc', (text) => text.replace('"name": "issue"', '"name": "remark"'))
    expect(() => render(readContractFiles(root))).toThrow('tally/tally.avsc remark: a name kept for personal data or free text')
  })

  test('nor one whose column has two types', () => {
    edit('tally/tally.avsc', (text) => text.replace('"column": "count"', '"column": "issue"'))
    expect(() => render(readContractFiles(root))).toThrow('Tally: column issue is text and int4')
  })

  function edit(path: string, change: (text: string) => string): void {
    const before = readFileSync(join(root, path), 'utf8')
    const after = change(before)
    expect(after).not.toBe(before)
    writeFileSync(join(root, path), after)
  }
})
