import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { describeFindings, exitOf, runChecks, type Check } from '../doctor/check.ts'
import { brokerChecks } from '../doctor/broker.ts'
import { databaseChecks } from '../doctor/database.ts'
import { gatewayChecks } from '../doctor/gateway.ts'
import { machineChecks } from '../doctor/machine.ts'
import { registryChecks } from '../doctor/registry.ts'
import { cliConfig, type Settings } from '../settings.ts'

export function addDoctor(program: Command, cli: Cli): void {
  cli.command(program, 'doctor', '检查各部分是否正常，说明哪里不对、该怎么办', 'look at every part and say what is wrong and what to do')
    .action(cli.action(async ({ settings, out }) => {
      const findings = await runChecks(allChecks(settings(), cliConfig.read(cli.env).localFile))
      const exit = exitOf(findings)
      out.result({ ok: exit === 0, findings }, () => describeFindings(findings))
      return exit
    }))
}

function allChecks(settings: Settings, localFile: string): Check[] {
  return [machineChecks(settings, localFile), brokerChecks(settings), registryChecks(settings), databaseChecks(settings), gatewayChecks(settings)].flat()
}
