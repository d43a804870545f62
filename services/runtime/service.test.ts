import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { createLog, type Log } from './log.ts'
import { Scope } from './service.ts'

describe('a scope', () => {
  test('closes what it owns in reverse, each step after the one before, whatever its kind', async () => {
    const order: string[] = []
    const scope = new Scope(captured().log)
    const later = (name: string) => async (): Promise<void> => {
      await Promise.resolve()
      order.push(name)
    }
    scope.use('async', { [Symbol.asyncDispose]: later('async') })
    scope.use('sync', { [Symbol.dispose]: () => { order.push('sync') } })
    scope.use('closable', { close: later('closable') })
    const made = scope.use('function', later('function'))
    expect(made).toBeTypeOf('function')
    await scope[Symbol.asyncDispose]()
    expect(order).toEqual(['function', 'closable', 'sync', 'async'])
  })

  test('a step that hangs or fails is named and does not keep the others', async () => {
    const { log, lines } = captured()
    const order: string[] = []
    const scope = new Scope(log)
    scope.use('first', () => { order.push('first') })
    scope.use('hanging', () => new Promise(() => {}), 20)
    scope.use('failing', () => { throw new Error('no') })
    scope.use('rejecting', () => Promise.reject(new Error('neither')))
    await scope[Symbol.asyncDispose]()
    expect(order).toEqual(['first'])
    expect(lines().map(({ msg, step }) => [msg, step])).toEqual([
      ['shutdown step failed', 'rejecting'], ['shutdown step failed', 'failing'], ['shutdown step ran out of time', 'hanging'],
    ])
  })

  test('closes once, however often it is asked, and every caller waits for the end', async () => {
    let closed = 0
    const gate = Promise.withResolvers<void>()
    const scope = new Scope(captured().log)
    scope.use('one', async () => {
      await gate.promise
      closed++
    })
    const both = Promise.all([scope[Symbol.asyncDispose](), scope[Symbol.asyncDispose]()])
    gate.resolve()
    await both
    expect(closed).toBe(1)
  })
})

describe('a process that runs a service', () => {
  test('a signal closes it in order and ends with 0', async () => {
    const child = run(`return { ...service, [Symbol.asyncDispose]: async () => log.info('closed') }`)
    await child.says('started')
    child.process.kill('SIGTERM')
    expect(await child.code).toBe(0)
    expect(child.messages()).toEqual(['started', 'stopping', 'closed', 'stopped'])
  })

  test.each([
    ['fail', 'setImmediate(() => fail(new Error("broken"))); return service'],
    ['an unhandled rejection', 'setImmediate(() => Promise.reject(new Error("broken"))); return service'],
    ['an uncaught error', 'setImmediate(() => { throw new Error("broken") }); return service'],
  ])('%s closes it in order and ends with 1', async (_what, start) => {
    const child = run(start)
    expect(await child.code).toBe(1)
    // A fatal line is written at once, past lines that still wait.
    expect(child.messages().filter((message) => message !== 'started')).toEqual(['service failed', 'closed', 'stopped'])
  })

  test('a start that fails ends with 1', async () => {
    const child = run('throw new Error("broken")')
    expect(await child.code).toBe(1)
    expect(child.messages()).toContain('service failed')
  })

  test('a close that hangs is given up', async () => {
    const child = run(`return { ...service, [Symbol.asyncDispose]: () => new Promise(() => {}) }`, 200)
    await child.says('started')
    child.process.kill('SIGINT')
    expect(await child.code).toBe(1)
    expect(child.messages()).toContain('shutdown ran out of time')
  })

  test('a start that hangs is given up too, once it is told to stop', async () => {
    const child = run(`return new Promise(() => {})`, 200)
    await child.says('started')
    child.process.kill('SIGTERM')
    expect(await child.code).toBe(1)
    expect(child.messages()).toContain('shutdown ran out of time')
  })

  test('a second signal ends it at once', async () => {
    const child = run(`return { ...service, [Symbol.asyncDispose]: () => new Promise(() => {}) }`, 60_000)
    await child.says('started')
    child.process.kill('SIGTERM')
    await child.says('stopping')
    child.process.kill('SIGTERM')
    expect(await child.code).toBe(130)
  })
})

function captured(): { log: Log; lines: () => Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  return { log: createLog({ service: 'test', destination: { write: (line) => { lines.push(JSON.parse(line) as Record<string, unknown>) } } }), lines: () => lines }
}

interface Child {
  readonly process: ChildProcess
  readonly code: Promise<number | null>
  messages(): string[]
  says(message: string): Promise<void>
}

/** A process that runs a service whose `start` has this body; `service` and `log` are at hand. */
function run(start: string, deadlineMs?: number): Child {
  const script = `
    import { createLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)}
    import { runService } from ${JSON.stringify(new URL('./service.ts', import.meta.url).href)}
    const log = createLog({ service: 'test' })
    const service = { health: async () => [], [Symbol.asyncDispose]: async () => log.info('closed') }
    const alive = setInterval(() => {}, 1000)
    await runService(log, async ({ fail, signal }) => { log.info('started'); ${start} }, ${deadlineMs})
    clearInterval(alive)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const messages = (): string[] => text.split('\n').filter((line) => line.startsWith('{')).map((line) => (JSON.parse(line) as { msg: string }).msg)
  return {
    process: child,
    code: once(child, 'close').then(([code]) => code as number | null),
    messages,
    says: (message) => vi.waitFor(() => expect(messages()).toContain(message), 10_000),
  }
}
