import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LocalProblem } from './problem.ts'

/** Apicurio 3.3 is compiled for Java 21. */
export const MINIMUM_JAVA = 21

export interface Jdk { home: string, java: string, major: number, version: string }

/**
 * The newest JDK of at least version 21 among `JAVA_HOME`, `java` on the path and the system's usual places.
 * @throws LocalProblem JAVA_MISSING, naming what was found instead
 */
export async function findJdk(env: NodeJS.ProcessEnv = process.env): Promise<Jdk> {
  const found = (await Promise.all([...new Set(await candidates(env))].map(inspect))).filter((jdk) => jdk !== undefined)
  found.sort((a, b) => b.major - a.major)
  const best = found[0]
  if (best !== undefined && best.major >= MINIMUM_JAVA) return best
  const seen = found.map((jdk) => `${jdk.version} (${jdk.home})`).join(', ')
  throw new LocalProblem('JAVA_MISSING',
    `需要 Java ${MINIMUM_JAVA} 或更高版本来运行消息服务器和模式注册中心；${seen ? `只找到：${seen}` : '没有找到任何 Java'}。请安装 JDK（例如 Temurin 25：https://adoptium.net），或将 JAVA_HOME 指向它。`,
    `Java ${MINIMUM_JAVA} or newer is needed for the broker and the registry; ${seen ? `only found: ${seen}` : 'no Java was found'}. Install a JDK (for example Temurin 25, https://adoptium.net) or point JAVA_HOME at one.`)
}

/** `21` from `21.0.3`, `8` from `1.8.0_392`, undefined from anything else. */
export function majorVersion(version: string): number | undefined {
  const match = /^(?:1\.)?(\d+)(?:[.\-+_]|$)/.exec(version.trim())
  return match ? Number(match[1]) : undefined
}

/** The version in a JDK's `release` file (`JAVA_VERSION="25.0.1"`) or in the output of `java -version`. */
export function parseVersion(text: string): string | undefined {
  return /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1] ?? /version "([^"]+)"/.exec(text)?.[1]
}

async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
  const homes = env['JAVA_HOME'] ? [env['JAVA_HOME']] : []
  const onPath = await output('java', ['-XshowSettings:properties', '-version'])
  const home = /java\.home = (.+)/.exec(onPath)?.[1]?.trim()
  if (home) homes.push(home)
  if (process.platform === 'darwin') {
    const listed = await output('/usr/libexec/java_home', ['-V'])
    homes.push(...[...listed.matchAll(/ (\/\S.*\/Contents\/Home)$/gm)].map((match) => match[1]!))
    for (const root of ['/opt/homebrew/opt', '/usr/local/opt']) {
      for (const name of await list(root)) if (name.startsWith('openjdk')) homes.push(join(root, name, 'libexec/openjdk.jdk/Contents/Home'))
    }
  }
  for (const root of ['/usr/lib/jvm', '/opt/java']) homes.push(...(await list(root)).map((name) => join(root, name)))
  return homes
}

async function inspect(home: string): Promise<Jdk | undefined> {
  const java = join(home, 'bin', 'java')
  const release = await readFile(join(home, 'release'), 'utf8').catch(() => '')
  const version = parseVersion(release) ?? parseVersion(await output(java, ['-version']))
  const major = version === undefined ? undefined : majorVersion(version)
  return version !== undefined && major !== undefined ? { home, java, major, version } : undefined
}

async function list(dir: string): Promise<string[]> {
  return readdir(dir).catch(() => [])
}

async function output(command: string, args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { timeout: 10_000 })
    return `${stdout}\n${stderr}`
  } catch {
    return ''
  }
}
