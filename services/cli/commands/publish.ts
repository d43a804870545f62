import { createReadStream } from 'node:fs'
import { Transform, type Readable } from 'node:stream'
import type { Client, Verdict } from '@hub/client'
import type { DataStream } from '@hub/schemas/streams'
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table } from '../output.ts'
import { clientOf, toRegion } from '../settings.ts'

export interface Published {
  /** Events per verdict, and `total`. */
  summary: Readonly<Record<string, number>>
  /** Verdicts that name a problem, at most MAX_PROBLEMS of them. */
  problems: Verdict[]
}

const MAX_PROBLEMS = 1000
const SHOWN = 50

export function addPublish(program: Command, cli: Cli): void {
  cli.command(program, 'publish', '发布 NDJSON 事件', 'publish events, one JSON object per line')
    .argument('<file>', 'NDJSON 文件，- 为标准输入 · file, or - for standard input')
    .requiredOption('--region <region>', '发布地区 · region that publishes')
    .requiredOption('--stream <stream>', '流，如 complaint · stream, such as complaint')
    .option('--dry-run', '只校验，不发布 · say the verdicts, publish nothing')
    .action(cli.action(async ({ settings, out }, [file], options) => {
      const client = clientOf(settings(), toRegion(options['region'] as string), 'publisher')
      const progress = countLines((lines) => out.note(`已发送 ${lines} 行`, `${lines} lines sent`))
      const input = file === '-' ? cli.stdin : await openFile(file ?? '-')
      const published = await publishLines(client, options['stream'] as DataStream, input.pipe(progress), options['dryRun'] === true)
      out.result(published, () => describe(published))
      const rejected = (published.summary['refused'] ?? 0) + (published.summary['conflict'] ?? 0)
      return rejected > 0 ? EXIT.validation : EXIT.ok
    }))
}

/** Sends lines to a gateway and adds up its verdicts. @throws GatewayError, also when the answer breaks off before its summary */
async function publishLines(client: Client, stream: DataStream, lines: Readable, dryRun = false): Promise<Published> {
  const verdicts = await client.publishLines(stream, lines, { dryRun })
  const problems: Verdict[] = []
  for await (const verdict of verdicts) if (verdict.problems !== undefined && problems.length < MAX_PROBLEMS) problems.push(verdict)
  return { summary: await verdicts.summary(), problems }
}

function describe({ summary, problems }: Published): string {
  const counts = table(['结果 verdict', '数量 events'], Object.entries(summary).filter(([name, count]) => count > 0 || name === 'total'))
  if (problems.length === 0) return counts
  const shown = problems.slice(0, SHOWN).flatMap(({ line, recordId, verdict, problems: found = [] }) =>
    found.map((problem) => [line, verdict, recordId, problem.field || '–', problem.rule, problem.expected, both(problem.zh, problem.en)]))
  const rest = problems.length > SHOWN ? `\n${both(`另有 ${problems.length - SHOWN} 条，见 --json`, `${problems.length - SHOWN} more, see --json`)}` : ''
  return `${table(['行 line', '结果 verdict', '记录 record', '字段 field', '规则 rule', '应为 expected', '说明 what'], shown)}${rest}\n\n${counts}`
}

async function openFile(path: string): Promise<Readable> {
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 })
  await new Promise<void>((resolve, reject) => stream.once('open', () => resolve()).once('error', (error) => {
    reject(new CliFailure(EXIT.validation, `无法读取 ${path}：${error.message}`, `Cannot read ${path}: ${error.message}`, { cause: error }))
  }))
  return stream
}

/** Passes bytes through and says every few seconds how many lines have gone. */
function countLines(say: (lines: number) => void): Transform {
  let lines = 0
  const timer = setInterval(() => say(lines), 3000)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      done(null, chunk)
    },
    destroy(error, done) {
      clearInterval(timer)
      done(error)
    },
  })
}
