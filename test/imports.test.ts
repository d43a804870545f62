import { expect, it } from 'vitest'
import { circles, importsOf, packageOf } from './imports.ts'

it('sees every form of an import, so that no arrow hides from the architecture test', () => {
  const source = [
    `import a from 'a'`, `import { b } from "b"`, `import {\n  c,\n  type D,\n} from 'c'`, `import * as e from 'e'`, `import 'f'`,
    `export { g } from 'g'`, `export * from 'h'`, `const i = await import('i')`, `createRequire(x)\nrequire('j')`,
  ].join('\n')
  expect(importsOf(source).filter(({ typeOnly }) => !typeOnly).map(({ specifier }) => specifier).sort()).toEqual(['a', 'b', 'c', 'e', 'f', 'g', 'h', 'i', 'j'])
})

it('knows an import of types alone', () => {
  expect(importsOf(`import type { A } from 'a'\nexport type { B } from 'b'\nimport { type C, type D } from 'c'`).every(({ typeOnly }) => typeOnly)).toBe(true)
})

it('knows the package of a path', () => {
  expect(['services/relay/index.ts', 'infra/local/stack.ts', 'schemas/streams.ts', 'test/hub.ts'].map(packageOf)).toEqual(['@hub/relay', '@hub/local', '@hub/schemas', '@hub/test'])
})

it('finds a circle however long, and no other file', () => {
  expect(circles(new Map([['a', ['b', 'd']], ['b', ['c']], ['c', ['a']], ['d', ['c', 'd']], ['e', ['a', 'f']], ['f', []]]))).toEqual(['a → b → c → a', 'd → d'])
})
