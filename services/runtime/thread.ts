import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'

/*
 * V8 may free the compiled call from WebAssembly to JavaScript twice when several threads of a process have one, and takes the process down with it
 * (decision 0046; Node 24 strips types in WebAssembly, in every thread). With this budget of calls none is ever compiled.
 */
setFlagsFromString('--wasm-wrapper-tiering-budget=2147483647')

export interface ThreadLimits {
  readonly oldMb: number
  readonly youngMb: number
}

/** Starts a thread of this process with a heap of its own. Threads are started nowhere else. @param module `new URL('./worker.ts', import.meta.url)` */
export function startThread(module: URL, workerData: unknown, { oldMb, youngMb }: ThreadLimits): Worker {
  return new Worker(module, { workerData, resourceLimits: { maxOldGenerationSizeMb: oldMb, maxYoungGenerationSizeMb: youngMb } })
}
