import { describe, expect, test } from 'vitest'
import { IMPORT_CODES } from '@hub/gateway/imports/report'
import { RULES, VERDICT_TEXTS } from '@hub/gateway/verdicts/verdict'
import { READ_FLAGS } from '@hub/schemas/read-event'
import { catalogue, currentPage, problemsOf, released, renderPage, serviceSources } from './errors.ts'

test('docs/errors.md has every code as the code has it; npm run generate writes it', () => {
  expect(currentPage()).toBe(renderPage())
})

test('no released code has gone away, and each new one stands in the list; npm run generate adds it', () => {
  const now = catalogue()
  for (const [kind, codes] of Object.entries(released())) expect([kind, codes]).toEqual([kind, [...now[kind as keyof typeof now]].sort()])
})

describe('the catalogue', () => {
  test('says everything in Chinese and in English, and what to do', () => {
    for (const [code, [zh, en, todoZh, todoEn]] of Object.entries({ ...RULES, ...READ_FLAGS, ...VERDICT_TEXTS, ...IMPORT_CODES.rules, ...IMPORT_CODES.flags, ...IMPORT_CODES.skips, ...IMPORT_CODES.problems })) {
      expect([code, [zh, todoZh].every((text) => /\p{Script=Han}/u.test(text)), [en, todoEn].every((text) => /^[a-z]/.test(text))]).toEqual([code, true, true])
    }
  })

  test('finds every problem that the services make: each has a code of its own and both languages', () => {
    for (const { path, text } of serviceSources()) {
      const found = problemsOf(text)
      expect([path, found.length]).toEqual([path, text.match(/new Problem\(/g)?.length ?? 0])
      for (const { code, title } of found) expect([code, title]).toEqual([code, expect.stringMatching(/^.*\p{Script=Han}.* · .*[a-z]/u)])
    }
  })

  test('has every rule that the gateway names', () => {
    const named = serviceSources().filter(({ path }) => path.startsWith('services/gateway/')).flatMap(({ text }) => [...text.matchAll(/\bproblem\('([a-z-]+)'/g)].map(([, rule]) => rule!))
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((rule) => !(rule in RULES))).toEqual([])
  })
})

test('a problem is read out of the code with its status, texts and what it fills in', () => {
  expect(problemsOf("throw new Problem(413, 'TOO_LONG', '过长 · it\\'s too long', `At most ${Math.max(1, {a: 2}.a)} events.`)\nnew Problem(\n  400,\n  'B2', `甲 · a`, detail)")).toEqual([
    { status: '413', code: 'TOO_LONG', title: "过长 · it's too long", todo: 'At most … events.' }, { status: '400', code: 'B2', title: '甲 · a', todo: '' },
  ])
})
