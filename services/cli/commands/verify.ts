import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { table } from '../output.ts'
import { openReplicas } from '../replicas.ts'
import { VERDICTS, verifyReplicas, type TopicVerdict } from '../verify.ts'

export function addVerify(program: Command, cli: Cli): void {
  cli.command(program, 'verify', '从各地副本的行重新计算摘要并比较', "recompute every replica's digests from its rows and compare them")
    .action(cli.action(async ({ settings, out }) => {
      await using opened = openReplicas(settings())
      const verdicts = await verifyReplicas(opened.replicas)
      out.result({ equal: allEqual(verdicts), topics: verdicts }, () => describe(verdicts))
      return allEqual(verdicts) ? EXIT.ok : EXIT.runtime
    }))
}

export function allEqual(verdicts: readonly TopicVerdict[]): boolean {
  return verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === 'equal')
}

function describe(verdicts: readonly TopicVerdict[]): string {
  const regions = verdicts[0]?.replicas.map(({ region }) => region) ?? []
  return table(['主题 topic', '记录 records', ...regions, '结论 verdict'],
    verdicts.map(({ topic, replicas, verdict }) => [topic, replicas[0]?.records, ...replicas.map(({ digest }) => digest.slice(0, 12)), `${VERDICTS[verdict]} ${verdict}`]))
}
