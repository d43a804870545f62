import { resolveArtifacts, type Artifacts } from './artifacts.ts'
import type { Jdk } from './java.ts'
import { trainKafka } from './kafka.ts'
import { preflight } from './preflight.ts'
import { step, type OnProgress } from './progress.ts'
import { trainRegistry } from './registry.ts'

export interface NativeTools { jdk: Jdk, jars: Artifacts }

/** JDK, broker and registry, downloaded and made quick to start when they were not yet. @throws LocalProblem */
export async function prepareNative(onProgress: OnProgress): Promise<NativeTools> {
  const jdk = await preflight()
  const training: Promise<void>[] = []
  const jars = await resolveArtifacts(jdk, onProgress, (what, dir) => {
    training.push(what === 'kafka' ? trainKafka(jdk, dir) : trainRegistry(jdk, dir))
  })
  if (training.length > 0) {
    await step(onProgress, 'training', '准备 Java 启动缓存（仅首次）', 'preparing the Java start-up caches (first time only)', () => Promise.all(training))
  }
  return { jdk, jars }
}
