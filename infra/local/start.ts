import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hub, hubQuietly } from './hub-command.ts'
import { writeLocalFiles } from './local-files.ts'
import { PROJECT_DATA_DIR, REPO_ROOT } from './paths.ts'
import { assertPortsFree } from './ports.ts'
import { LocalProblem } from './problem.ts'
import { consoleProgress, step, type OnProgress } from './progress.ts'
import { GATEWAY_PORTS, REGION_PORTS, startRegion } from './region-process.ts'
import { REGION_USERS, startStack, type Stack } from './stack.ts'
import { stopSignal } from './stop-signal.ts'
import { describeAddresses } from './welcome.ts'

// `npm start`: broker, registry and database, one process per region, the sample published and compared; stays up until Ctrl-C.
const { values: options } = parseArgs({ options: { fresh: { type: 'boolean' }, exit: { type: 'boolean' }, json: { type: 'boolean' } } })
const onProgress = consoleProgress()
const signal = stopSignal()

try {
  process.exitCode = await start()
} catch (error) {
  if (signal.aborted) process.exitCode = 130
  else if (error instanceof LocalProblem) {
    process.stderr.write(`\n${error.message}\n`)
    process.exitCode = error.code === 'START_FAILED' ? 1 : 3
  } else throw error
}

async function start(): Promise<number> {
  await assertPortsFree(REGION_USERS.map((region) => ({ name: `${region} 网关 gateway`, port: GATEWAY_PORTS[region] })))
  if (options.fresh) await forget()
  const stack = await startStack({ dataDir: PROJECT_DATA_DIR, onProgress, signal, restartCrashed: true, onUnexpectedEnd: sayEnd })
  try {
    await startRegions(stack)
    if (signal.aborted) return 130
    const status = await hub(['demo', join(REPO_ROOT, 'test/data/sample'), ...(options.json ? ['--json'] : [])], signal)
    if (options.exit || signal.aborted) return signal.aborted ? 130 : status
    process.stdout.write(describeAddresses())
    await aborted(signal)
    return 0
  } finally {
    onProgress({ step: 'stop', state: 'note', zh: '正在停止', en: 'stopping' })
    await stack.stop()
  }
}

async function startRegions(stack: Stack): Promise<void> {
  await step(onProgress, 'prepare', '登记契约，建立主题和数据库', 'schemas, topics, databases', async () => {
    const files = await writeLocalFiles(stack)
    await Promise.all([
      ...REGION_USERS.map((region) => stack.createDatabase(`hub_${region}`)),
      hubQuietly(['schemas', 'register'], files.localFile),
      hubQuietly(['topics', 'apply'], files.localFile),
    ])
  })
  await step(onProgress, 'regions', '四个地区的进程', 'the processes of the four regions', () => Promise.all(REGION_USERS.map((region) => startRegion(stack, region))))
}
