import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ANNOUNCER_PORTS, GATEWAY_PORTS, LOOKUP_PORTS, databaseName } from './addresses.ts'
import { hub, hubQuietly } from './hub-command.ts'
import { writeLocalFiles, type RegionFiles } from './local-files.ts'
import { PROJECT_DATA_DIR, REPO_ROOT } from './paths.ts'
import { assertPortsFree } from './ports.ts'
import { LocalProblem } from './problem.ts'
import { consoleProgress, step } from './progress.ts'
import { startRegion } from './region-process.ts'
import { REGION_USERS, type RegionUser } from './region-users.ts'
import { startStack, type Stack } from './stack.ts'
import { stopSignal } from './stop-signal.ts'
import { openSupervisor, type ManagedProcess, type SupervisorOptions } from './supervisor.ts'
import { describeAddresses } from './welcome.ts'

// `npm start`: broker, registry and database, one process per region, the regions' sample files imported, the replicas compared; stays up until Ctrl-C.
const SAMPLE = join(REPO_ROOT, 'test/data/sources/files')
/** Of the days that the sample covers. */
const ANNOUNCEMENTS = [['spring-festival', '2026'], ['315-week', '2026']]
/** What --fresh forgets; developers' and tests' own stacks below .hub stay. */
const DATA = ['kafka', 'postgres', 'regions', 'logs', 'local.json', 'secrets.json', 'try-event.json']

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
  // Refuses beside a running launcher and ends what a killed one left, before its ports are called busy and its data are touched.
  await (await openSupervisor(PROJECT_DATA_DIR)).close()
  await assertPortsFree(REGION_USERS.flatMap((region) => [{ name: `${region} 网关 gateway`, port: GATEWAY_PORTS[region] }, { name: `${region} 信用查询 credit lookup`, port: LOOKUP_PORTS[region] }, { name: `${region} 联合公示 announcer`, port: ANNOUNCER_PORTS[region] }]))
  if (options.fresh) await Promise.all(DATA.map((name) => rm(join(PROJECT_DATA_DIR, name), { recursive: true, force: true })))
  const stack = await startStack({ dataDir: PROJECT_DATA_DIR, onProgress, signal, restartCrashed: true, onUnexpectedEnd: sayEnd })
  const running: ManagedProcess[] = []
  try {
    const { localFile, regions } = await prepare(stack)
    await startRegions(stack, regions, running)
    const status = await publishSample(localFile)
    if (options.exit || signal.aborted) return signal.aborted ? 130 : status
    if (!options.json) process.stdout.write(describeAddresses(stack, regions))
    if (!signal.aborted) await once(signal, 'abort')
    return 0
  } finally {
    onProgress({ step: 'stop', state: 'note', zh: '正在停止', en: 'stopping' })
    await Promise.all(running.map((region) => region.stop()))
    await stack.stop()
  }
}

/** Imports the sample, compares the replicas, then publishes two announcements over it; the first status that is not 0. */
async function publishSample(localFile: string): Promise<number> {
  const json = options.json ? ['--json'] : []
  let status = await hub(['demo', SAMPLE, ...json], localFile, signal)
  for (const announcement of ANNOUNCEMENTS) {
    if (status === 0 && !signal.aborted) status = await hub(['announcement', 'run', ...announcement, '--demo', ...json], localFile, signal)
  }
  return status
}

function prepare(stack: Stack): ReturnType<typeof writeLocalFiles> {
  return step(onProgress, 'prepare', '登记契约，建立主题和数据库', 'schemas, topics, databases', async () => {
    const files = await writeLocalFiles(stack)
    const deploy = async (): Promise<void> => {
      await hubQuietly(['schemas', 'register'], files.localFile, signal)
      await hubQuietly(['topics', 'apply'], files.localFile, signal)
    }
    await Promise.all([deploy(), ...REGION_USERS.map((region) => stack.createDatabase(databaseName(region)))])
    return files
  })
}

/** Fills `running`, also when one of them fails to start: all must be stopped before the broker is. */
async function startRegions(stack: Stack, files: Record<RegionUser, RegionFiles>, running: ManagedProcess[]): Promise<void> {
  signal.throwIfAborted()
  await step(onProgress, 'regions', '四个地区的进程', 'the processes of the four regions', async () => {
    const starting = REGION_USERS.map(async (region) => { running.push(await startRegion(stack, region, files[region])) })
    await Promise.race([Promise.allSettled(starting), once(signal, 'abort')])
    signal.throwIfAborted()
    await Promise.all(starting)
  })
}

function sayEnd({ name, how, logFile, willRestart }: Parameters<NonNullable<SupervisorOptions['onUnexpectedEnd']>>[0]): void {
  onProgress({
    step: name, state: 'note',
    zh: `${name} 意外结束（${how}），${willRestart ? '即将重新启动' : '不会自动重启'}，日志 ${logFile}`,
    en: `${name} ended (${how}), ${willRestart ? 'it will be started again' : 'it stays down'}`,
  })
}
