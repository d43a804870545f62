import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT, type Exit } from '../failure.ts'

const LAUNCHER = fileURLToPath(new URL('../../../infra/local/start.ts', import.meta.url))

export function addUp(program: Command, cli: Cli): void {
  cli.command(program, 'up', '启动本地运行（同 npm start）', 'start the local hub, as npm start does')
    .option('--fresh', '从头开始，删除 .hub 中的数据 · begin anew, without the data in .hub')
    .option('--exit', '显示结果表后停止；四地副本一致时状态为 0 · stop after the table; status 0 when the four replicas are equal')
    .action(cli.action(async (_context, _args, options) => {
      const args = ['fresh', 'exit', 'json'].flatMap((name) => (options[name] === true ? [`--${name}`] : []))
      // The launcher ends when the process in HUB_BOOTSTRAP_PID is gone, and stops everything in order at a signal: we only wait for it.
      const child = spawn(process.execPath, [LAUNCHER, ...args], { stdio: 'inherit', env: { ...cli.env, HUB_BOOTSTRAP_PID: String(process.pid) } })
      cli.onSignal((signal) => child.kill(signal))
      const [code] = await once(child, 'exit') as [number | null]
      return (code ?? EXIT.runtime) as Exit
    }))
}
