import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { addCaller, disableCaller, finishRotation, listCallers, readCallers, replaceCallers, rotateKey, type Made } from '../callers-file.ts'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table, type Output } from '../output.ts'
import { cliConfig, toRegion } from '../settings.ts'

/** `hub caller`: who may call a region's gateway. The gateway reads the file again within seconds. */
export function addCallers(program: Command, cli: Cli): void {
  const callers = program.command('caller').description(both('调用方及其密钥', "a gateway's callers and their keys"))
  const command = (name: string, zh: string, en: string): Command => cli.command(callers, name, zh, en)
    .option('--region <region>', '哪个地区的调用方 · region whose callers are meant')
    .option('--file <file>', 'callers.yaml；不写则为本地运行的或 infra/regions 下的文件 · the file; else that of the local run, else the one in infra/regions')
  const several = (value: string, before: string[] = []): string[] => [...before, value]

  command('list', '列出调用方', 'list the callers')
    .action(cli.action(async ({ out }, _args, options) => {
      const file = fileOf(cli.env, options)
      const found = listCallers(readCallers(file), file)
      out.result({ file, callers: found }, () => `${file}\n${table(
        ['编号 id', '单位 organisation', '角色 roles', '来源 sources', '机关 authorities', '密钥 keys', '状态 state'],
        found.map(({ id, organisation, roles, sources, authorities, keys, disabled }) => [id, organisation, roles.join(' '), sources.join(' '), authorities.join(' '), keys, disabled ? '停用 disabled' : keys === 0 ? '无密钥 no key' : keys > 1 ? '更换中 rotating' : '有效 valid']),
      )}`)
    }))

  command('add', '新增调用方并生成密钥', 'add a caller and make its key')
    .argument('<id>', '调用方编号 · id of the caller')
    .requiredOption('--organisation <name>', '所属单位 · organisation')
    .requiredOption('--role <role>', '角色，可重复 · role; may be repeated', several)
    .option('--source <source>', '可发布的来源系统，可重复 · source system it may publish for; may be repeated', several)
    .option('--authority <code>', '可发布的决定机关代码，可重复 · code of an authority it may publish for; may be repeated', several)
    .action(cli.action(async ({ out }, [id], options) => {
      const file = fileOf(cli.env, options)
      const list = (name: string): string[] => (options[name] ?? []) as string[]
      const made = addCaller(readCallers(file), file, { id: id!, organisation: options['organisation'] as string, roles: list('role'), sources: list('source'), authorities: list('authority') })
      await keep(out, file, id!, made, '旧密钥：无', 'there was no key before')
    }))

  command('rotate', '换新密钥：旧密钥在 --finish 之前仍有效', 'make a new key; the old one stays valid until --finish')
    .argument('<id>', '调用方编号 · id of the caller')
    .option('--finish', '只留最新的密钥 · leave the newest key alone')
    .action(cli.action(async ({ out }, [id], options) => {
      const file = fileOf(cli.env, options)
      const yaml = readCallers(file)
      if (options['finish'] !== true) {
        await keep(out, file, id!, rotateKey(yaml, file, id!), '上一个密钥在 hub caller rotate --finish 之前仍有效', 'the key before stays valid until "hub caller rotate --finish"')
        return
      }
      await replaceCallers(file, finishRotation(yaml, file, id!))
      out.result({ file, id, keys: 1 }, () => both(`${id} 只剩最新的密钥`, `${id} has its newest key alone`))
    }))

  command('disable', '停用调用方：密钥和登录立即失效', 'disable a caller: its keys and its sessions end')
    .argument('<id>', '调用方编号 · id of the caller')
    .action(cli.action(async ({ out }, [id], options) => {
      const file = fileOf(cli.env, options)
      await replaceCallers(file, disableCaller(readCallers(file), file, id!))
      out.result({ file, id, disabled: true }, () => both(`${id} 已停用，网关数秒内生效`, `${id} is disabled; the gateway follows within seconds`))
    }))
}

async function keep(out: Output, file: string, id: string, { yaml, key }: Made, zh: string, en: string): Promise<void> {
  await replaceCallers(file, yaml)
  out.note(`密钥只显示这一次，${file} 中只存其 SHA-256；${zh}。`, `The key is shown this once; ${file} keeps its SHA-256 alone; ${en}.`)
  out.result({ file, id, key }, () => key)
}

/** `--file`, else the local run's file of the region, else the one that is deployed. */
function fileOf(env: NodeJS.ProcessEnv, options: Record<string, unknown>): string {
  if (typeof options['file'] === 'string') return options['file']
  const named = cliConfig.read(env)
  const region = options['region'] ?? named.region
  if (typeof region !== 'string' || region === '') throw new CliFailure(EXIT.validation, '请用 --region 或 --file 指明是哪个地区的调用方。', 'Say with --region or --file whose callers are meant.')
  const local = join(dirname(named.localFile), 'regions', toRegion(region), 'callers.yaml')
  return existsSync(local) ? local : fileURLToPath(new URL(`../../../infra/regions/${region}/callers.yaml`, import.meta.url))
}
