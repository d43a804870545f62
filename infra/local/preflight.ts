import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { artifactsCached } from './artifacts.ts'
import { findJdk, type Jdk } from './java.ts'
import { LocalProblem } from './problem.ts'

/**
 * The JDK to run broker and registry on, once everything that only the person at the keyboard can install is there.
 * @throws LocalProblem naming all that is missing, with the remedies, in one message
 */
export async function preflight(env: NodeJS.ProcessEnv = process.env): Promise<Jdk> {
  const java = await findJdk(env).catch((error: unknown) => {
    if (error instanceof LocalProblem) return error
    throw error
  })
  const missing = [java, mavenMissing(env)].filter((each) => each instanceof LocalProblem)
  if (missing.length === 0) return java as Jdk
  throw missing.length === 1 ? missing[0]! : new LocalProblem('JAVA_MISSING', missing.map((each) => each.zh).join('\n'), missing.map((each) => each.en).join('\n'))
}

/** Maven only downloads: with a filled cache nobody needs it. */
function mavenMissing(env: NodeJS.ProcessEnv): LocalProblem | undefined {
  const found = (env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, 'mvn')))
  if (found || artifactsCached()) return undefined
  return new LocalProblem('MAVEN_MISSING',
    '需要 Maven（mvn）来下载消息服务器和模式注册中心（仅首次），但未找到。请安装：Debian/Ubuntu：apt install maven；macOS：brew install maven。',
    'Maven (mvn) is needed to download the broker and the registry (first time only), but there is none. Install it: apt install maven (Debian/Ubuntu) or brew install maven (macOS).')
}
