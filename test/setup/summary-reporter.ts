import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export interface Summary { passed: number, failed: number, skipped: number }

/** Leaves the counts of the run in the file `HUB_TEST_SUMMARY` names, for the closing line of `npm test`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['HUB_TEST_SUMMARY']
    if (file) writeFileSync(file, JSON.stringify(summarise(modules, unhandledErrors.length)))
  }
}

/** A test file or suite that failed outside its tests, and an error outside all of them, count as one failure each. */
function summarise(modules: readonly TestModule[], unhandledErrors: number): Summary {
  const summary: Summary = { passed: 0, failed: unhandledErrors, skipped: 0 }
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed' || state === 'failed' || state === 'skipped') summary[state]++
      else summary.failed++
    }
    summary.failed += module.errors().length
    for (const suite of module.children.allSuites()) summary.failed += suite.errors().length
  }
  return summary
}
