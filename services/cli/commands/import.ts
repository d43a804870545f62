import type { Command } from 'commander'
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import { lstat, rename, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Client, Import, ImportReport } from '@hub/client'
import type { Cli } from '../cli.ts'
import { confirmed } from '../confirm.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both, table, type Output } from '../output.ts'
import { clientOf, regionsWith, toRegion, type Settings } from '../settings.ts'

const SHOWN = 50
const DELIMITERS = ['comma', 'semicolon', 'tab'] as const

interface Options {
  region?: string
  source?: string
  shape?: string
  encoding?: 'utf-8' | 'gb18030'
  delimiter?: typeof DELIMITERS[number]
  dryRun?: boolean
  yes?: boolean
  marked?: string
}

export function addImport(program: Command, cli: Cli): void {
  const command = cli.command(program, 'import', '导入文件：识别、试运行、确认后发布', 'import files: recognised, rehearsed, published after confirmation')
    .argument('<files...>', '文件（CSV、XLSX、NDJSON、JSON、通告正文） · files: CSV, XLSX, NDJSON, JSON, text of a notice')
    .option('--source <source>', '来源系统（必填） · source system that the files come from; needed')
    .option('--region <region>', '发布地区 · region that publishes; may be left out where only one is known')
    .option('--shape <shape>', '文件的形式，不再询问 · what kind of file it is; nothing is asked then')
    .option('--encoding <encoding>', 'utf-8 或 gb18030 · utf-8 or gb18030; told by the file where it is left out')
    .option('--delimiter <delimiter>', `${DELIMITERS.join('、')} · separator of a CSV; a comma where it is left out`)
    .option('--dry-run', '只给出结果，不发布 · say the verdicts, publish nothing')
    .option('--marked <file>', '先试运行，把每行的结果写入工作簿，有问题的单元格标色（.xlsx） · first write a workbook with the verdict of each row, offending cells marked (.xlsx)')
    .option('--yes', '按识别结果发布，不询问 · publish as recognised, ask nothing')
    .action(cli.action(async ({ settings, out }, [files], options) => {
      const given = options as Options
      if (given.source === undefined) throw new CliFailure(EXIT.validation, '请用 --source 指明来源系统。', 'Name the source system with --source.')
      const client = clientOf(settings(), regionOf(settings(), given.region), 'publisher')
      if (given.marked !== undefined) await writeMarked(client, out, files as unknown as string[], given, given.marked)
      const reports: ImportReport[] = []
      for (const file of files as unknown as string[]) reports.push(await importOne(client, cli, out, file, given))
      out.result(reports.length === 1 ? reports[0] : reports, () => reports.map(describe).join('\n\n'))
      return reports.some(isAmiss) ? EXIT.validation : EXIT.ok
    }))
  for (const [name, zh, en, act] of [
    ['revert', '撤销一次导入新建的记录', 'void every record that an import created', (client: Client, id: string) => client.revertImport(id)],
    ['confirm', '发布待确认的导入', 'publish an import that waits for confirmation', (client: Client, id: string) => client.confirmImport(id)],
    ['cancel', '放弃待确认的导入', 'give up an import that waits for confirmation', (client: Client, id: string) => client.cancelImport(id)],
  ] as const) {
    cli.command(command, name, zh, en)
      .argument('<id>', '导入编号 · id of the import')
      .action(cli.action(async ({ settings, out }, [id], options) => {
        const client = clientOf(settings(), regionOf(settings(), options['region'] as string | undefined), 'publisher')
        await act(client, id ?? '')
        const report = await client.waitForImport(id ?? '')
        out.result(report, () => describe(report))
        return name === 'confirm' && isAmiss(report) ? EXIT.validation : EXIT.ok
      }))
  }
}

async function importOne(client: Client, cli: Cli, out: Output, path: string, { source, shape, encoding, delimiter, dryRun = false, yes = false }: Options): Promise<ImportReport> {
  const { bytes } = await look(path)
  const name = basename(path)
  let sent = 0
  let lines = 0
  // Once for each attempt: a gateway that is busy is asked again.
  const content = (): ReadStream => {
    sent = lines = 0
    const stream = createReadStream(path, { highWaterMark: 256 * 1024 })
    // Seen as they pass: the file is not read twice.
    stream.on('data', (chunk) => {
      const piece = chunk as Buffer
      sent += piece.length
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++
      out.progress(`${name} 上传 · upload`, sent, bytes)
    })
    return stream
  }
  const { id } = await client.importFile(source!, content, { file: name, shape, encoding, delimiter, dryRun }).catch(unreadableAs(path))
  const workbook = /\.xls[xm]?$/i.test(name)
  const onProgress = ({ rows }: Import): void => out.progress(`${name} 行 · rows`, rows, workbook ? undefined : Math.max(lines, rows))
  const report = await client.waitForImport(id, { onProgress })
  out.progress()
  if (report.state !== 'waiting-confirmation') return report
  if (isAbsence(report)) return tellAbsence(out, report)
  out.note(recognitionZh(report), recognitionEn(report))
  if (!yes && !await confirmed(cli, out, '按此发布？', 'Publish it like this?')) {
    out.note(`尚未发布。确认：hub import confirm ${id}；放弃：hub import cancel ${id}（一天后自动放弃）`, `Not published yet. "hub import confirm ${id}" publishes it, "hub import cancel ${id}" gives it up, as does a day.`)
    return report
  }
  await client.confirmImport(id)
  const end = await client.waitForImport(id, { onProgress })
  out.progress()
  return isAbsence(end) ? tellAbsence(out, end) : end
}

/** The workbook appears under its name once it is whole. */
async function writeMarked(client: Client, out: Output, files: readonly string[], { source, shape, encoding, delimiter }: Options, target: string): Promise<void> {
  const [path] = files
  if (path === undefined || files.length > 1) throw new CliFailure(EXIT.validation, '--marked 一次只能用于一个文件。', '--marked is for one file at a time.')
  await look(path)
  const partial = `${target}.partial`
  try {
    const workbook = await client.markFile(source!, createReadStream(path, { highWaterMark: 256 * 1024 }), { file: basename(path), shape, encoding, delimiter }).catch(unreadableAs(path))
    await pipeline(workbook, createWriteStream(partial, { mode: 0o600 }))
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'ENOENT' || code === 'ENOSPC') throw new CliFailure(EXIT.validation, `无法写入 ${target}（${code}）。请检查路径和权限。`, `Cannot write ${target} (${code}). Check the path and the rights.`)
    throw error
  }
  out.note(`标出问题的工作簿：${target}`, `workbook with the rows marked: ${target}`)
}

/** Which records end is never agreed to beforehand: `--yes` is about what the file is. */
function isAbsence({ state, problem }: Import): boolean {
  return state === 'waiting-confirmation' && problem?.code === 'many-absent'
}

function tellAbsence(out: Output, report: ImportReport): ImportReport {
  const { id, absent } = report
  out.note(`新的行已导入；名单未再列出 ${absent} 条记录，尚未终结。确认已终结：hub import confirm ${id}；否则：hub import cancel ${id}`, `Its rows are in; it does not name ${absent} records any more, which have not ended yet. "hub import confirm ${id}" ends them, "hub import cancel ${id}" leaves them.`)
  return report
}

function recognitionZh({ file, shape, recognised, rows, verdicts, problem }: Import): string {
  return `${file}：识别为“${shape!.zh}”（${shape!.id}）。${recognised!.zh}\n  列：${mapping(recognised)}\n  未识别的列：${recognised!.unmapped.join('、') || '无'}\n  试运行 ${rows} 行：${figures(verdicts)}${problem === null ? '' : `（${problem.zh}）`}\n `
}

function recognitionEn({ shape, recognised }: Import): string {
  return `recognised as "${shape!.en}": ${recognised!.en}`
}

function mapping(recognised: Import['recognised']): string {
  return recognised!.columns.map(({ field, column }) => (field === column ? field : `${column} → ${field}`)).join('，') || '–'
}

function figures(verdicts: Import['verdicts']): string {
  return Object.entries(verdicts).map(([verdict, rows]) => `${verdict} ${rows}`).join('，') || '0'
}

function describe(report: ImportReport): string {
  const head = `${report.file}  ${report.id}  ${report.state}${report.dryRun ? ' (dry run)' : ''}${report.repeats === null ? '' : `  ${both('内容相同的文件已导入', 'the same content was imported before')}`}`
  const problem = report.problem === null ? [] : [both(report.problem.zh, report.problem.en)]
  const unknown = report.shape === null && report.recognised !== null ? [both(report.recognised.zh, report.recognised.en)] : []
  const counts = table(['结果 verdict', '行 rows'], [...Object.entries(report.verdicts), ['total', report.rows], ['事件 events', report.events]])
  const flags = Object.entries(report.flags)
  const rows = report.problems.slice(0, SHOWN).flatMap(({ sheet, row, verdict, flags: marked, problems }) => [
    ...problems.map((one) => [sheet, row, verdict, one.column || null, one.rule, one.expected || null, both(one.zh, one.en)]),
    ...marked.map((one) => [sheet, row, verdict, null, one.code, null, both(one.zh, one.en)]),
  ])
  const more = report.problems.length > SHOWN || report.next !== null ? [both(`更多的行见 GET /v1/imports/${report.id}`, `more rows: GET /v1/imports/${report.id}`)] : []
  return [
    head, ...problem, ...unknown, counts,
    ...(flags.length === 0 ? [] : [table(['标记 flag', '行 rows'], flags)]),
    ...(rows.length === 0 ? [] : [table(['表 sheet', '行 row', '结果 verdict', '列 column', '规则 rule', '应为 expected', '说明 what'], rows)]),
    ...more,
  ].join('\n')
}

/** Something is left for a person to do. */
function isAmiss({ state, verdicts }: Import): boolean {
  return state === 'failed' || state === 'waiting-confirmation' || (verdicts.refused ?? 0) + (verdicts.conflict ?? 0) > 0
}

function regionOf(settings: Settings, named: string | undefined) {
  if (named !== undefined) return toRegion(named)
  const known = regionsWith(settings, 'gateway')
  if (known.length === 1) return known[0]!.region
  throw new CliFailure(EXIT.validation, `请用 --region 指明地区：${known.map(({ region }) => region).join('、')}`, `Name the region with --region: ${known.map(({ region }) => region).join(', ')}`)
}

async function look(path: string): Promise<{ bytes: number }> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => { throw unreadable(path, error.code ?? '') })
  if (found.isDirectory()) throw new CliFailure(EXIT.validation, `${path} 是文件夹。请逐个给出文件，如 ${path}/*.csv`, `${path} is a folder. Name its files, as ${path}/*.csv`)
  if (!found.isFile() && !found.isSymbolicLink()) throw new CliFailure(EXIT.validation, `${path} 不是普通文件。`, `${path} is no plain file.`)
  return { bytes: found.size }
}

/** A file that cannot be read is told by its own path: to the client it is a body that broke off. */
function unreadableAs(path: string): (error: unknown) => never {
  return (error) => {
    const { code = '' } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    throw code === 'EACCES' || code === 'EIO' ? unreadable(path, code) : error
  }
}

function unreadable(path: string, code: string): CliFailure {
  return new CliFailure(EXIT.validation, `无法读取 ${path}（${code}）。请检查路径和权限。`, `Cannot read ${path} (${code}). Check the path and the rights.`)
}

