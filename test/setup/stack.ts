import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import { LocalProblem } from '@hub/local/problem'
import { consoleProgress } from '@hub/local/progress'
import { startStack, type StackDescription } from '@hub/local/stack'
import { removeAbandoned } from './abandoned.ts'
import { startTestContainers } from './containers.ts'

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackDescription
  }
}

/**
 * One real stack for the whole run, handed to the test files as `inject('stack')`. `HUB_TEST_STACK_FILE` names the
 * description of a running one (see infra/local/dev-stack.ts) to be used instead. Data of a run that failed are kept.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const file = process.env['HUB_TEST_STACK_FILE']
  if (file) {
    project.provide('stack', JSON.parse(readFileSync(file, 'utf8')) as StackDescription)
    return async () => {}
  }
  await removeAbandoned(PROJECT_DATA_DIR)
  const dataDir = join(PROJECT_DATA_DIR, `test-${process.pid}`)
  const stack = await startStack({ dataDir, ports: 'random', fsync: false, onProgress: consoleProgress(), containers: startTestContainers }).catch((error: unknown) => {
    // vitest would print every field and cause; what to do stands in the message.
    throw error instanceof LocalProblem ? Object.assign(new Error(error.message), { stack: error.message }) : error
  })
  project.provide('stack', stack.describe())
  return async () => {
    await stack.stop()
    if (project.vitest.state.getCountOfFailedTests() === 0) await rm(dataDir, { recursive: true, force: true })
  }
}
