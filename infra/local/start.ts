import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PORTS_SET_APART, databaseName, localPorts, type LocalPorts } from './addresses.ts'
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

const { values: options } = parseArgs({
  options: {
    fresh: { type: 'boolean' }, exit: { type: 'boolean' }, json: { type: 'boolean' },
    // A second hub beside the usual one.
    data: { type: 'string', default: PROJECT_DATA_DIR }, 'first-port': { type: 'string' },
  },
})
const dataDir = resolve(options.data)
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
  const ports = localPorts(firstPort(options['first-port']))
  // Refuses beside a running launcher and ends what a killed one left, before its ports are called busy and its data are touched.
  await (await openSupervisor(dataDir)).close()
  await assertPortsFree(REGION_USERS.flatMap((region) => [
    { name: `${region} 网关 gateway`, port: ports.regions[region].gateway }, { name: `${region} 信用查询 credit lookup`, port: ports.regions[region].lookup },
    { name: `${region} 联合公示 announcer`, port: ports.regions[region].announcer },
  ]))
  if (options.fresh) await Promise.all(DATA.map((name) => rm(join(dataDir, name), { recursive: true, force: true })))
  const stack = await startStack({ dataDir, ports: ports.stack, onProgress, signal, restartCrashed: true, onUnexpectedEnd: sayEnd })
  const running: ManagedProcess[] = []
  try {
    const { localFile, regions } = await prepare(stack, ports)
    await startRegions(stack, regions, ports, running)
    const status = await publishSample(localFile)
    if (options.exit || signal.aborted) return signal.aborted ? 130 : status
    if (!options.json) process.stdout.write(describeAddresses(stack, regions, ports.regions))
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

function prepare(stack: Stack, ports: LocalPorts): ReturnType<typeof writeLocalFiles> {
  return step(onProgress, 'prepare', '登记契约，建立主题和数据库', 'schemas, topics, databases', async () => {
    const files = await writeLocalFiles(stack, ports.regions)
    const deploy = async (): Promise<void> => {
      await hubQuietly(['schemas', 'register'], files.localFile, signal)
      await hubQuietly(['topics', 'apply'], files.localFile, signal)
    }
    await Promise.all([deploy(), ...REGION_USERS.map((region) => stack.createDatabase(databaseName(region)))])
    return files
  })
}

/** Fills `running`, also when one of them fails to start: all must be stopped before the broker is. */
async function startRegions(stack: Stack, files: Record<RegionUser, RegionFiles>, ports: LocalPorts, running: ManagedProcess[]): Promise<void> {
  signal.throwIfAborted()
  await step(onProgress, 'regions', '四个地区的进程', 'the processes of the four regions', async () => {
    const starting = REGION_USERS.map(async (region) => { running.push(await startRegion(stack, region, files[region], ports.regions[region])) })
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

/** @throws LocalProblem PORT_WRONG */
function firstPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  const last = 65_536 - PORTS_SET_APART
  if (!Number.isInteger(port) || port < 1024 || port > last) throw new LocalProblem('PORT_WRONG', `--first-port 应为 1024 至 ${last} 的整数。`, `--first-port is a whole number from 1024 to ${last}.`)
  return port
}
