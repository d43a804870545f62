import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubError } from '@hub/runtime/errors'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { kafkaOf, principalsOf, registryOf } from '../settings.ts'
import { applyTopics, type TopicsReport } from '../topics.ts'

export function addTopics(program: Command, cli: Cli): void {
  const topics = program.command('topics').description(both('主题', 'the topics'))

  cli.command(topics, 'apply', '建立缺少的主题、各地区的权限和 genesis 记录（部署步骤，在 schemas register 之后）', 'create missing topics, the rights of each region and genesis records: a step of a deployment, after schemas register')
    .action(cli.action(async ({ settings, out }) => {
      const known = settings()
      const cacheDir = await mkdtemp(join(tmpdir(), 'yrd-hub-topics-'))
      try {
        const report = await applyTopics({ kafka: kafkaOf(known), registryUrl: registryOf(known), cacheDir, topicPrefix: known.topicPrefix, principals: principalsOf(known) })
        out.result(report, () => describe(report))
        return report.problems.length === 0 ? EXIT.ok : EXIT.environment
      } catch (error) {
        throw error instanceof HubError && error.code === 'CONTRACT_UNREGISTERED' ? unregistered(error) : error
      } finally {
        await rm(cacheDir, { recursive: true, force: true })
      }
    }))
}

function unregistered(cause: unknown): CliFailure {
  return new CliFailure(EXIT.environment, '契约尚未登记，请先运行 hub schemas register。', 'The contracts are not registered yet: run "hub schemas register" first.', { cause })
}

function describe({ topics, acls, problems }: TopicsReport): string {
  const rows = topics.map(({ topic, partitions, created, genesis }) => [topic, partitions, created ? '新建 created' : '已有 present', genesis])
  return [
    table(['主题 topic', '分区 partitions', '状态 state', '新写 genesis'], rows),
    '',
    acls.enforced ? both(`新增权限 ${acls.added} 条`, `${acls.added} rights added`) : both('集群未启用权限检查，任何人都能写任何主题', 'the cluster checks no rights: anybody may write any topic'),
    ...(problems.length === 0 ? [] : ['', table(['主题 topic', '问题 problem'], problems.map(({ topic, zh, en }) => [topic, both(zh, en)]))]),
  ].join('\n')
}
