import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { openReplicas } from '../replicas.ts'
import { askScrubber, type ScrubResult } from '../scrub-request.ts'
import { toRegion } from '../settings.ts'
import { describeScrub } from './verify.ts'

/** `hub repair`: has a partition compared with the log, event by event, and put right. */
export function addRepair(program: Command, cli: Cli): void {
  cli.command(program, 'repair', '按日志逐条核对一个分区并修复，写入审计', 'compare a partition with the log, event by event, and put it right; audited')
    .argument('<topic>', '主题，如 zj.complaint · topic')
    .argument('<partition>', '分区 · partition')
    .requiredOption('--why <reason>', '原因，写入审计 · why; stands in the audit')
    .option('--region <region>', '只修复此地区的副本；不写则为已知的各地 · replica of this region alone; else of all that are known')
    .action(cli.action(async ({ settings, out }, [topic, number], options) => {
      const partition = Number(number)
      if (!/^\d{1,4}$/.test(number!)) throw new CliFailure(EXIT.validation, `分区应为从 0 起的整数，不是 ${number}。`, `A partition is a whole number from 0, not ${number}.`)
      const only = options['region'] === undefined ? undefined : toRegion(options['region'] as string)
      await using opened = openReplicas(settings())
      const replicas = opened.replicas.filter(({ region }) => only === undefined || region === only)
      const results: ScrubResult[] = await Promise.all(replicas.map((replica) => askScrubber(replica, { kind: 'repair', place: { topic: topic!, partition }, why: options['why'] as string })))
      out.result({ replicas: results }, () => describeScrub(results))
      return results.some(({ different }) => different > 0) ? EXIT.runtime : EXIT.ok
    }))
}
