import { join, resolve } from 'node:path'
import { PROJECT_DATA_DIR } from './paths.ts'
import { consoleProgress } from './progress.ts'
import { writeSecret } from './secret-file.ts'
import { startStack } from './stack.ts'
import { stopSignal } from './stop-signal.ts'

// Keeps one stack running for developers and writes its description to <dir>/stack.json: what HUB_TEST_STACK_FILE takes.
const dir = resolve(process.argv[2] ?? join(PROJECT_DATA_DIR, 'dev'))
const onProgress = consoleProgress()
const stack = await startStack({
  dataDir: dir,
  ports: 'random',
  fsync: false,
  onProgress,
  restartCrashed: true,
  onUnexpectedEnd: ({ name, how, logFile }) => onProgress({ step: name, state: 'note', zh: `${name} 意外结束（${how}），日志 ${logFile}`, en: `${name} ended (${how})` }),
})
const file = join(dir, 'stack.json')
await writeSecret(file, JSON.stringify(stack.describe(), null, 2))
onProgress({ step: 'ready', state: 'done', zh: `已就绪：${file}`, en: 'ready' })
const signal = stopSignal()
if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }))
await stack.stop()
