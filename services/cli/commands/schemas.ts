import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { checkReleased } from '@hub/schemas/compat'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { createRegistry, type Registered } from '../registry.ts'
import { registryOf } from '../settings.ts'

export function addSchemas(program: Command, cli: Cli): void {
  const schemas = program.command('schemas').description(both('Avro 契约', 'the Avro contracts'))

  cli.command(schemas, 'register', '在注册中心登记全部契约（部署步骤）', 'register all contracts: a step of a deployment')
    .action(cli.action(async ({ settings, out }) => {
      const registered = await registerAll(registryOf(settings()))
      out.result(registered, () => table(['契约 subject', '编号 id', '状态 state'], registered.map(({ subject, id, added }) => [subject, id, added ? '新登记 added' : '已有 present'])))
    }))

  cli.command(schemas, 'check', '检查契约与已发布版本及注册中心是否兼容', 'check the contracts against the released versions and the registry')
    .option('--offline', '只与仓库中的已发布版本比较 · compare with the released versions in the repository only')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      const offline = await checkReleased()
      const online = options['offline'] === true ? [] : await checkRegistry(registryOf(settings()))
      const found = [...offline.map((problem) => ({ against: 'released', ...problem })), ...online]
      out.result({ compatible: found.length === 0, problems: found }, () => found.length === 0
        ? both('全部契约兼容', `all ${ALL_CONTRACTS.length} contracts are compatible`)
        : table(['契约 subject', '比较对象 against', '问题 problem'], found.map(({ subject, against, message }) => [subject, against, message])))
      return found.length === 0 ? EXIT.ok : EXIT.validation
    }))
}

/** Global level, then each schema, then each subject's own level; safe to repeat. */
export async function registerAll(registryUrl: string): Promise<Registered[]> {
  const registry = createRegistry(registryUrl)
  await registry.setDefaultCompatibility()
  const registered: Registered[] = []
  for (const contract of ALL_CONTRACTS) registered.push(await registry.register(contract))
  return registered
}

async function checkRegistry(registryUrl: string): Promise<{ subject: string, against: string, message: string }[]> {
  const registry = createRegistry(registryUrl)
  const problems = await Promise.all(ALL_CONTRACTS.map(async (contract) =>
    (await registry.incompatibilities(contract)).map((message) => ({ subject: contract.subject, against: 'registry', message }))))
  return problems.flat()
}
