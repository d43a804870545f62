import { expect, test } from 'vitest'
import { MAX_DEPTH, parseJson } from './json-line.ts'

test.each([
  ['{"a":1,"b":[{"a":2},{"a":3}],"c":{"a":{}}}'],
  ['{"a:b":"c:d{[","e":"\\"f\\":{","g\\\\":"\\\\"}'],
  ['[]'],
  ['"x:y"'],
  ['null'],
  ['{"\\u0061":1,"b":null}'],
])('%s parses to what it says', (text) => {
  expect(parseJson(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text) })
})

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"x":{"k":1},"y":[{"k":1,"k":1}]}', 'k'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('%s is refused for its key %s', (text, field) => {
  expect(parseJson(Buffer.from(text))).toEqual({ ok: false, fault: 'duplicate-key', field })
})

test('__proto__ stays an own key and changes no prototype', () => {
  const parsed = parseJson(Buffer.from('{"__proto__":{"polluted":true}}'))
  expect(parsed.ok && Object.keys(parsed.value as object)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('invalid UTF-8 is refused instead of being replaced', () => {
  expect(parseJson(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]))).toMatchObject({ fault: 'invalid-utf8' })
})

test.each([['{"a":'], ['{a:1}'], ['{"a":1}}'], ['"open'], ['{"a":"\\'], [''], ['NaN']])('%s is malformed', (text) => {
  expect(parseJson(Buffer.from(text))).toMatchObject({ ok: false, fault: 'malformed-json' })
})

test('nesting beyond the bound is refused before it is parsed', () => {
  const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  expect(parseJson(nested(MAX_DEPTH))).toMatchObject({ ok: true })
  expect(parseJson(nested(MAX_DEPTH + 1))).toMatchObject({ ok: false, fault: 'too-deep' })
  expect(parseJson(nested(100_000))).toMatchObject({ ok: false, fault: 'too-deep' })
})
