import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { EXIT } from '../failure.ts'
import { table } from '../output.ts'
import { openReplicas } from '../replicas.ts'
import { askScrubber, findingRows, type ScrubResult } from '../scrub-request.ts'
import { VERDICTS, verifyReplicas, type TopicVerdict } from '../verify.ts'

export function addVerify(program: Command, cli: Cli): void {
  cli.command(program, 'verify', '从各地副本的行重新计算摘要并比较', "recompute every replica's digests from its rows and compare them")
    .option('--deep', '逐行按原始字节重算每一列，与日志不符的当场修复并写入审计 · recompute every column of every row from its bytes; what the log contradicts is put right and audited')
    .action(cli.action(async ({ settings, out }, _args, options) => {
      await using opened = openReplicas(settings())
      const scrubbed = options['deep'] === true ? await Promise.all(opened.replicas.map((replica) => askScrubber(replica, { kind: 'scrub', why: 'hub verify --deep' }))) : []
      const verdicts = await verifyReplicas(opened.replicas)
      const well = allEqual(verdicts) && scrubbed.every(({ repaired, different }) => repaired + different === 0)
      out.result({ equal: allEqual(verdicts), topics: verdicts, ...(scrubbed.length > 0 && { replicas: scrubbed }) }, () => [describe(verdicts), ...(scrubbed.length > 0 ? [describeScrub(scrubbed)] : [])].join('\n\n'))
      return well ? EXIT.ok : EXIT.runtime
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

/** What the scrubbers did, and each field that differed. */
export function describeScrub(results: readonly ScrubResult[]): string {
  const found = findingRows(results)
  return [
    table(['副本 replica', '分区 partitions', '行 rows', '一致 equal', '已修复 repaired', '不一致 different', '秒 s'],
      results.map(({ region, partitions, rows, equal, repaired, different, ms }) => [region, partitions, rows, equal, repaired, different, Number((ms / 1000).toFixed(1))])),
    ...results.flatMap(({ region, reasons }) => reasons.map((reason) => `${region}: ${reason}`)),
    ...(found.length > 0 ? [table(['副本 replica', '记录 record', '差异 what', '字段 field', '副本中 here', '日志中 on the log'], found)] : []),
  ].join('\n\n')
}
