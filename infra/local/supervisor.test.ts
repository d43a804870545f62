import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processIdentity } from './process-identity.ts'
import { openSupervisor, type ProcessSpec } from './supervisor.ts'

let dir: string
beforeEach(async () => { dir = await mkdtemp(join(tmpdir(), 'yrd-hub-supervisor-')) })
afterEach(() => rm(dir, { recursive: true, force: true }))

test('starts, names the real pid, and stops', async () => {
  const supervisor = await openSupervisor(dir)
  const shell = await supervisor.start(script('polite', 'echo "$$ up"; exec sleep 600'))
  expect(await readFile(shell.logFile, 'utf8')).toBe(`${shell.pid} up\n`)
  const pid = shell.pid!
  await supervisor.close()
  expect(processIdentity(pid)).toBeUndefined()
  expect(shell.pid).toBeUndefined()
})

test('a process that ignores the request to stop is killed after its grace time', async () => {
  const supervisor = await openSupervisor(dir)
  const stubborn = await supervisor.start({ ...script('stubborn', `trap '' TERM; echo up; while :; do sleep 0.1; done`), graceMs: 200 })
  const pid = stubborn.pid!
  await supervisor.close()
  expect(processIdentity(pid)).toBeUndefined()
})

test('a start that fails says how and shows the end of the log', async () => {
  const supervisor = await openSupervisor(dir)
  await expect(supervisor.start(script('broken', 'echo no such data >&2; exit 7'))).rejects.toThrow(/exit code 7[^]*no such data/)
  await supervisor.close()
})

test('a killed process can be started again; a crashed one is started again by itself when that is asked for', async () => {
  const ends: string[] = []
  const supervisor = await openSupervisor(dir, { restartCrashed: true, onUnexpectedEnd: ({ how, willRestart }) => ends.push(`${how} ${willRestart}`) })
  const shell = await supervisor.start(script('twice', 'echo up; exec sleep 600'))
  shell.kill()
  await shell.ended()
  expect(shell.pid).toBeUndefined()
  await shell.restart()
  const second = shell.pid!
  process.kill(second, 'SIGKILL')
  await until(() => shell.pid !== undefined && shell.pid !== second)
  expect(ends).toEqual(['SIGKILL true'])
  await shell.restart()
  process.kill(shell.pid!, 'SIGTERM')
  await until(() => shell.pid === undefined)
  expect(ends).toEqual(['SIGKILL true', 'SIGTERM false'])
  await supervisor.close()
})

test('a launcher killed with SIGKILL leaves no process behind, and a second one on the same data is refused while it lives', async () => {
  const launcher = await startLauncher()
  const pid = Number(await readPid('child'))
  await expect(openSupervisor(dir)).rejects.toMatchObject({ code: 'ALREADY_RUNNING' })
  launcher.kill('SIGKILL')
  await once(launcher, 'exit')
  await until(() => processIdentity(pid) === undefined)
  await (await openSupervisor(dir)).close()
  expect(await readdir(join(dir, 'pids'))).toEqual([])
})

test('of two launchers that start at the same instant one gets the data', async () => {
  const program = `
    import { openSupervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)}
    const outcome = await openSupervisor(${JSON.stringify(dir)}).then(() => 'mine', (error) => error.code)
    console.log(outcome)
    process.stdin.resume()`
  const launchers = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['pipe', 'pipe', 'inherit'] }))
  const outcomes = await Promise.all(launchers.map(async (launcher) => String((await once(launcher.stdout!, 'data'))[0]).trim()))
  for (const launcher of launchers) launcher.kill('SIGKILL')
  expect(outcomes.sort()).toEqual(['ALREADY_RUNNING', 'ALREADY_RUNNING', 'mine'])
})

test('what a killed launcher left is ended before a new start, even when its watchdog is gone too', async () => {
  const orphan = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  await once(orphan, 'spawn')
  const supervisor = await openSupervisor(dir)
  await writeFile(join(dir, 'pids/orphan'), JSON.stringify({ pid: orphan.pid, identity: processIdentity(orphan.pid!), stopSignal: 'SIGTERM' }))
  await supervisor.close()
  await (await openSupervisor(dir)).close()
  expect(processIdentity(orphan.pid!)).toBeUndefined()
})

test('a pid that another process got meanwhile is left alone', async () => {
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore' })
  await once(stranger, 'spawn')
  await (await openSupervisor(dir)).close()
  await writeFile(join(dir, 'pids/old'), JSON.stringify({ pid: stranger.pid, identity: 'an earlier boot/1', stopSignal: 'SIGTERM' }))
  await (await openSupervisor(dir)).close()
  expect(processIdentity(stranger.pid!)).toBeDefined()
  stranger.kill('SIGKILL')
})

function script(name: string, text: string): ProcessSpec {
  return { name, command: '/bin/sh', args: ['-c', text], stopSignal: 'SIGTERM', graceMs: 2000, ready: (printed) => printed.includes('up'), readyTimeoutMs: 10_000 }
}

async function startLauncher(): Promise<ChildProcess> {
  const program = `
    import { openSupervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)}
    const supervisor = await openSupervisor(${JSON.stringify(dir)})
    await supervisor.start({ name: 'child', command: '/bin/sh', args: ['-c', 'echo up; exec sleep 600'], stopSignal: 'SIGTERM', graceMs: 2000, ready: (printed) => printed.includes('up'), readyTimeoutMs: 10_000 })
    console.log('started')`
  const launcher = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(launcher.stdout!, 'data')
  return launcher
}

async function readPid(name: string): Promise<string> {
  return String((JSON.parse(await readFile(join(dir, 'pids', name), 'utf8')) as { pid: number }).pid)
}

/** Waits for a condition; the test's own time limit is the deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20)
}
