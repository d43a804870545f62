import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { REPO_ROOT } from '@hub/local/paths'

const TICKS_PER_SECOND = 100 // what /proc counts in, whatever the kernel's own tick

export function machine(): { cpu: string, cores: number, memory: string } {
  return { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, memory: `${Math.round(totalmem() / 2 ** 30)} GiB` }
}

/** `hub` is the commit, with `+` behind it where the checkout differs from it; null outside a checkout. */
export function versions(postgres: string | null): { node: string, kafka: string | null, postgres: string | null, hub: string | null } {
  const pom = readFileSync(join(REPO_ROOT, 'infra/local/jvm/pom.xml'), 'utf8')
  return { node: process.versions.node, kafka: /<kafka\.version>(.+?)</.exec(pom)?.[1] ?? null, postgres, hub: commit() }
}

/** Processor seconds by part: the hub's own processes, database, broker, registry, and the bench with its loads and peers. */
export type CpuSeconds = Readonly<Record<'hub' | 'database' | 'broker' | 'registry' | 'bench', number>>

export interface CpuUse { readonly perCpuSecond: number, readonly seconds: CpuSeconds }

/**
 * What everything below this process, itself included, has used since it began, user and system. A process that ended counts with the parent that
 * waited for it, so what database backends used stays, and what a stopped process of the hub used moves to `bench`.
 */
export function cpuSeconds(): CpuSeconds {
  const { own, below, all } = ticksOf(readStats())
  const ticks = { hub: 0, database: 0, broker: 0, registry: 0, bench: own(process.pid) }
  for (const pid of below(process.pid)) ticks[partOf(pid)] += all(pid)
  return Object.fromEntries(Object.entries(ticks).map(([part, n]) => [part, n / TICKS_PER_SECOND])) as CpuSeconds
}

/** Processor seconds of some processes and of what is below them. */
export function cpuSecondsOf(pids: readonly number[]): number {
  const { all } = ticksOf(readStats())
  return pids.reduce((sum, pid) => sum + all(pid), 0) / TICKS_PER_SECOND
}

/** Ticks of a process alone, the processes that it started, and ticks of it with all below it. */
function ticksOf(stats: ReturnType<typeof readStats>): { own(pid: number): number, below(pid: number): number[], all(pid: number): number } {
  const byPid = new Map(stats.map(({ pid, ticks }) => [pid, ticks]))
  const children = Map.groupBy(stats, ({ parent }) => parent)
  const own = (pid: number): number => byPid.get(pid) ?? 0
  const below = (pid: number): number[] => (children.get(pid) ?? []).map((child) => child.pid)
  const all = (pid: number): number => below(pid).reduce((sum, child) => sum + all(child), own(pid))
  return { own, below, all }
}

/** Per processor second of everything together, and what each part used; undefined where the system does not tell. */
export function cpuUse(events: number, before: CpuSeconds, after: CpuSeconds): CpuUse | undefined {
  const seconds = Object.fromEntries(Object.entries(after).map(([part, n]) => [part, Number((n - before[part as keyof CpuSeconds]).toFixed(2))])) as CpuSeconds
  const total = Object.values(seconds).reduce((sum, n) => sum + n, 0)
  return total > 0 ? { perCpuSecond: events / total, seconds } : undefined
}

function partOf(pid: number): keyof CpuSeconds {
  const command = readText(`/proc/${pid}/cmdline`)
  if (command.includes('/postgres')) return 'database'
  if (command.includes('kafka.Kafka')) return 'broker'
  if (command.includes('quarkus')) return 'registry'
  return command.includes('/services/') ? 'hub' : 'bench'
}

/** Resident memory of processes, bytes. Pages that they share, such as Node's own code, count in each. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1024, 0)
}

function readStats(): { pid: number, parent: number, ticks: number }[] {
  return readProc('/proc').flatMap((name) => {
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ') // from the state on, which is field 3
      return [{ pid: Number(name), parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) }]
    } catch {
      return [] // it has ended
    }
  })
}

function readProc(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function commit(): string | null {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: REPO_ROOT, encoding: 'utf8', stdio: 'pipe' }).trim()
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
  } catch {
    return null
  }
}
