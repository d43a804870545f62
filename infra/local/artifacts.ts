import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Jdk } from './java.ts'
import { cacheDir } from './paths.ts'
import { LocalProblem } from './problem.ts'
import { step, type OnProgress } from './progress.ts'
import { spawnWatched } from './watchdog.ts'

const POM = fileURLToPath(new URL('./jvm/pom.xml', import.meta.url))

export interface Artifacts {
  /** Folder of the broker's jars. */
  kafka: string
  /** Folder with `quarkus-run.jar`. */
  apicurio: string
}

interface Artifact {
  id: 'kafka' | 'apicurio'
  goal: string
  version: string
  /** A file that a complete folder has. */
  proof: (version: string) => string
  zh: string
  en: string
  sizeMb: number
}

/**
 * Brings broker and registry into the cache folder with the machine's own Maven; a second call only looks.
 * One Maven at a time, because two on one empty local repository disturb each other.
 * @throws LocalProblem DOWNLOAD_FAILED
 */
export async function resolveArtifacts(jdk: Jdk, onProgress: OnProgress, fetched: (what: 'kafka' | 'apicurio', dir: string) => void = () => {}): Promise<Artifacts> {
  const pom = readFileSync(POM, 'utf8')
  const kafka = await resolve({ id: 'kafka', goal: 'copy-dependencies', version: pinned(pom, 'kafka'), zh: '下载消息服务器 Kafka', en: 'downloading the Kafka broker', sizeMb: 44, proof: (version) => `kafka_2.13-${version}.jar` }, pom, jdk, onProgress, fetched)
  const apicurio = await resolve({ id: 'apicurio', goal: 'unpack', version: pinned(pom, 'apicurio'), zh: '下载模式注册中心 Apicurio', en: 'downloading the Apicurio registry', sizeMb: 159, proof: () => 'quarkus-run.jar' }, pom, jdk, onProgress, fetched)
  return { kafka, apicurio }
}

/** Whether everything is in the cache already, so that neither Maven nor a network is needed. */
export function artifactsCached(): boolean {
  const pom = readFileSync(POM, 'utf8')
  return (['kafka', 'apicurio'] as const).every((id) => existsSync(target(id, pom)))
}

export function pinned(pom: string, name: string): string {
  const version = new RegExp(`<${name}\\.version>([^<]+)<`).exec(pom)?.[1]
  if (!version) throw new Error(`pom.xml pins no ${name}.version`)
  return version
}

/** The folder carries the pom's hash: another log4j under the same Kafka is another set of jars. */
function target(id: 'kafka' | 'apicurio', pom: string): string {
  return join(cacheDir(), `${id}-${pinned(pom, id)}-${createHash('sha256').update(pom).digest('hex').slice(0, 8)}`)
}

async function resolve(artifact: Artifact, pom: string, jdk: Jdk, onProgress: OnProgress, fetched: (what: 'kafka' | 'apicurio', dir: string) => void): Promise<string> {
  const dir = target(artifact.id, pom)
  if (existsSync(dir)) return dir
  await step(onProgress, `download-${artifact.id}`, `${artifact.zh} ${artifact.version}（约 ${artifact.sizeMb} MB）`, `${artifact.en} ${artifact.version} (about ${artifact.sizeMb} MB)`, async () => {
    const temporary = `${dir}.tmp-${process.pid}`
    await mkdir(temporary, { recursive: true })
    try {
      await maven([`dependency:${artifact.goal}@${artifact.id}`, `-Dhub.target=${temporary}`], artifact, jdk, onProgress)
      if (!existsSync(join(temporary, artifact.proof(artifact.version)))) throw new Error(`Maven left ${temporary} without ${artifact.proof(artifact.version)}`)
      // A launcher that resolved the same at the same time may have been first: its folder is as good.
      await rename(temporary, dir).catch((error: unknown) => { if (!existsSync(dir)) throw error })
    } finally {
      await rm(temporary, { recursive: true, force: true })
    }
  })
  fetched(artifact.id, dir)
  return dir
}

function maven(args: string[], artifact: Artifact, jdk: Jdk, onProgress: OnProgress): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawnWatched({ command: 'mvn', args: ['-B', '-f', POM, ...args], stopSignal: 'SIGTERM', graceMs: 2000 }, ['pipe', 'pipe'], { env: mavenEnv(jdk) })
    const tail: string[] = []
    let files = 0
    const onText = (text: string): void => {
      for (const line of text.split('\n').filter(Boolean)) {
        if (/Downloaded from/.test(line)) files++
        tail.push(line)
        if (tail.length > 15) tail.shift()
      }
    }
    child.stdout!.setEncoding('utf8').on('data', onText)
    child.stderr!.setEncoding('utf8').on('data', onText)
    const ticker = setInterval(() => {
      void partialMegabytes(artifact).then((mb) => {
        if (mb === 0 && files === 0) return
        const [zh, en] = mb > 0 ? [`${mb} / ${artifact.sizeMb} MB`, `${mb} of ${artifact.sizeMb} MB`] : [`${files} 个文件`, `${files} files`]
        onProgress({ step: `download-${artifact.id}`, state: 'note', zh: `  已下载 ${zh}`, en: `${en} so far` })
      })
    }, 3000)
    child.once('close', (code) => {
      clearInterval(ticker)
      if (code === 0) return resolve()
      const errors = tail.filter((line) => line.includes('ERROR')).slice(0, 4)
      reject(new LocalProblem('DOWNLOAD_FAILED',
        `用 Maven 下载 ${artifact.id} ${artifact.version} 失败。首次启动需要网络（或 ~/.m2/settings.xml 中配置的镜像）；之后可离线启动。`,
        `Maven could not download ${artifact.id} ${artifact.version}. The first start needs the network (or the mirror of ~/.m2/settings.xml); later ones do not.\n${(errors.length ? errors : tail).join('\n')}`))
    })
  })
}

/** Maven is left on the Java its owner gave it; only where there is none it gets the one we found. */
function mavenEnv(jdk: Jdk): NodeJS.ProcessEnv {
  const hasJava = process.env['JAVA_HOME'] !== undefined || (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, 'java')))
  return hasJava ? process.env : { ...process.env, JAVA_HOME: jdk.home }
}

/** What has arrived of the one large file, seen in Maven's usual local repository; 0 where it cannot be seen. */
async function partialMegabytes(artifact: Artifact): Promise<number> {
  if (artifact.id !== 'apicurio') return 0
  const dir = join(homedir(), '.m2/repository/io/apicurio/apicurio-registry-app', artifact.version)
  const sizes = await Promise.all((await readdir(dir).catch(() => [])).map((name) => stat(join(dir, name)).then((info) => info.size, () => 0)))
  return Math.round(Math.max(0, ...sizes) / 1e6)
}
