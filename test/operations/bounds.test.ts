import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { settingNames } from './settings.ts'
import { declaredMetrics } from './metrics.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const declared = declaredMetrics()
const rows = readFileSync(join(ROOT, 'docs/bounds.md'), 'utf8').split('\n').filter((line) => /^\| (?!what|---)/.test(line)).map((line) => line.slice(2, -2).split(' | '))

/** Names of all tables that migrations make. */
function migratedTables(): string[] {
  const files = ['services/runtime/db/migrate.ts', ...readdirSync(join(ROOT, 'services'), { recursive: true, encoding: 'utf8' }).filter((path) => /migrations\/.*\.sql$/.test(path) && !path.includes('node_modules')).map((path) => `services/${path}`)]
  return files.flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(/CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)/g)].map(([, name]) => name!))
}

test('every table of a migrated region database stands in docs/bounds.md, once', () => {
  const named = rows.flatMap(([what]) => [...what!.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!))
  expect(migratedTables().length).toBeGreaterThan(30)
  expect(named.toSorted()).toEqual(migratedTables().toSorted())
})

test.each(rows.map((row) => [row[0]!, row] as const))('%s has its place, limit, end and metric', (_what, row) => {
  expect(row.length).toBe(6)
  expect(row.every((cell) => cell.trim() !== '')).toBe(true)
  for (const [, path, constant] of row.join(' ').matchAll(/`((?:services|infra)\/[^`]+)`(?: `((?!HUB_)[A-Z_]+)`)?/g)) {
    expect([path, existsSync(join(ROOT, path!))]).toEqual([path, true])
    if (constant !== undefined) expect([path, constant, new RegExp(`const ${constant}\\b`).test(readFileSync(join(ROOT, path!), 'utf8'))]).toEqual([path, constant, true])
  }
  expect(row[1]).toMatch(/^`(services|infra)\//)
  const metrics = [...row[5]!.matchAll(/`(hub_[a-z_]+)/g)].map(([, name]) => name!)
  expect(metrics.filter((name) => !declared.has(name))).toEqual([])
  expect([row[5], metrics.length > 0 || row[5]!.startsWith('– (')]).toEqual([row[5], true])
})

test('every setting that it names exists', () => {
  const named = [...readFileSync(join(ROOT, 'docs/bounds.md'), 'utf8').matchAll(/`(HUB_[A-Z_]+)/g)].map(([, name]) => name!)
  expect(named.filter((name) => !settingNames().has(name))).toEqual([])
})
