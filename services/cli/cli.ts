import { Command, CommanderError } from 'commander'
import type { Readable } from 'node:stream'
import { ConfigError } from '@hub/runtime/config'
import { CliFailure, EXIT, toFailure, type Exit } from './failure.ts'
import { both, createOutput, toJson, type Output } from './output.ts'
import { readSettings, type Settings } from './settings.ts'

/** What a command works with; settings are read when first asked for, so that help needs none. */
export interface Context {
  settings(): Settings
  out: Output
}

type Options = Record<string, unknown>
export type Action = (context: Context, args: string[], options: Options) => Promise<Exit | void>

/** What commands are made with. */
export interface Cli {
  readonly stdin: Readable
  readonly env: NodeJS.ProcessEnv
  /** From now on a signal is the listener's to act on and no longer ends this process. */
  onSignal(listener: (signal: NodeJS.Signals) => void): void
  command(parent: Command, name: string, zh: string, en: string): Command
  action(run: Action): (...given: unknown[]) => Promise<void>
}

export interface CliIo {
  env: NodeJS.ProcessEnv
  stdin: Readable
  write(text: string): void
  writeError(text: string): void
  /** Standard error is a terminal, where a line can be written over. */
  terminal?: boolean
  onSignal(listener: (signal: NodeJS.Signals) => void): void
}

/** Runs `hub` with these arguments and resolves with its exit status; touches nothing of the process but what `io` hands over. */
export async function runCli(args: readonly string[], io: CliIo, addCommands: (program: Command, cli: Cli) => void): Promise<Exit> {
  const json = args.includes('--json')
  const out = createOutput(json, io.write, io.writeError, io.terminal)
  let exit: Exit = EXIT.ok
  const cli: Cli = {
    stdin: io.stdin,
    env: io.env,
    onSignal: io.onSignal,
    command: (parent, name, zh, en) => configure(parent.command(name).description(both(zh, en)), io).option('--json', '以 JSON 输出 · answer in JSON'),
    action: (run) => async (...given) => {
      const command = given.at(-1) as Command
      exit = await run({ settings: () => readSettings(io.env), out }, command.processedArgs as string[], command.optsWithGlobals()) ?? EXIT.ok
    },
  }
  const program = configure(new Command('hub').description(both('长三角市场监管数据交换枢纽', 'event hub of the Yangtze River Delta')), io)
  addCommands(program, cli)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.validation
    const failure = error instanceof ConfigError
      ? new CliFailure(EXIT.environment, `环境变量有误：${error.problems.join('；')}`, `The environment is not usable: ${error.problems.join('; ')}`)
      : toFailure(error)
    if (json) io.write(`${toJson({ error: { exit: failure.exit, zh: failure.zh, en: failure.en } })}\n`)
    else io.writeError(`${failure.zh}\n${failure.en}\n`)
    return failure.exit
  }
}

function configure(command: Command, io: CliIo): Command {
  return command.exitOverride().configureOutput({ writeOut: io.write, writeErr: io.writeError }).helpCommand(false).showHelpAfterError(both('（--help 查看用法）', '(--help shows the usage)'))
}
