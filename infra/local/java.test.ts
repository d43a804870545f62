import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findJdk, majorVersion, parseVersion } from './java.ts'

describe('majorVersion', () => {
  test.each([
    ['25.0.1', 25], ['21', 21], ['21.0.3', 21], ['17.0.15+6', 17], ['22-ea', 22], ['1.8.0_392', 8], ['nonsense', undefined], ['', undefined],
  ])('%s → %s', (version, major) => expect(majorVersion(version)).toBe(major))
})

describe('parseVersion', () => {
  test('reads a release file', () => expect(parseVersion('IMPLEMENTOR="Eclipse Adoptium"\nJAVA_VERSION="25.0.1"\n')).toBe('25.0.1'))
  test('reads java -version', () => expect(parseVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime …')).toBe('17.0.15'))
})

test('JAVA_HOME is found, and the newest of all is taken', async () => {
  const home = fakeJdk('99.0.1')
  expect(await findJdk({ ...process.env, JAVA_HOME: home })).toMatchObject({ home, major: 99, java: join(home, 'bin/java') })
})

function fakeJdk(version: string): string {
  const home = mkdtempSync(join(tmpdir(), 'yrd-hub-jdk-'))
  writeFileSync(join(home, 'release'), `JAVA_VERSION="${version}"\n`)
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin/java'), '#!/bin/sh\n')
  chmodSync(join(home, 'bin/java'), 0o755)
  return home
}
