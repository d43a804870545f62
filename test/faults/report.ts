import type { machine, versions } from '../bench/machine.ts'
import { FAULTS } from './nemesis.ts'
import type { Round } from './round.ts'

/** A round with what is needed to judge and to repeat it. */
export interface Line extends Round {
  readonly at: string
  readonly machine: ReturnType<typeof machine>
  readonly versions: ReturnType<typeof versions>
}

const HEAD = ['fault', 'rounds', 'void', 'strikes', 'published', 'lost', 'doubled', 'out of order', 'other', 'ready, worst (s)', 'drained, worst (s)']

function rows(lines: readonly Line[]): string[][] {
  return FAULTS.flatMap(({ name }) => {
    const all = lines.filter((line) => line.fault === name)
    if (all.length === 0) return []
    const valid = all.filter(({ outcome }) => outcome !== 'void')
    const sum = (pick: (line: Line) => number): string => String(valid.reduce((total, line) => total + pick(line), 0))
    const worst = (pick: (line: Line) => number | null): string => (valid.some((line) => pick(line) === null) ? 'never' : String(Math.max(...valid.map((line) => pick(line)!))))
    return [[name, String(valid.length), String(all.length - valid.length), sum((one) => one.strikes), sum((one) => one.published), sum((one) => one.lost), sum((one) => one.doubled), sum((one) => one.outOfOrder),
      sum((one) => Math.max(0, one.violations.length - one.lost - one.doubled - one.outOfOrder)), ...(valid.length === 0 ? ['', ''] : [worst((one) => one.readySeconds), worst((one) => one.drainedSeconds)])]]
  })
}

export function readable(lines: readonly Line[]): string {
  const all = [HEAD, ...rows(lines)]
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')).join('\n')
}

/** The table as it stands in docs/reliability.md, with what it was measured on. */
export function tableOf(lines: readonly Line[]): string {
  const last = lines.at(-1)
  if (last === undefined) return '尚无结果 · no results yet'
  const seeds = [...new Set(lines.map(({ seed }) => seed))].sort((a, b) => a - b)
  const { machine: on, versions: of } = last
  const names = new Map(FAULTS.map(({ name, zh, en }) => [name, `${zh} · ${en}`]))
  const body = rows(lines).map(([name, ...cells]) => `| \`${name}\` ${names.get(name!)} | ${cells.join(' | ')} |`)
  return [
    `${on.cpu}，${on.cores} 核 · cores，${on.memory}；Node ${of.node}，Kafka ${of.kafka}，PostgreSQL ${of.postgres}，hub ${[...new Set(lines.map(({ versions: { hub } }) => hub))].join(', ')}；种子 · seeds ${seeds.join(', ')}；${lines[0]!.at.slice(0, 10)}`,
    '', `| ${HEAD.join(' | ')} |`, `| --- |${' ---: |'.repeat(HEAD.length - 1)}`, ...body,
  ].join('\n')
}

const BEGIN = '<!-- faults: npm run faults -- --write -->'
const END = '<!-- /faults -->'

/** The page with the table between its marks. @throws Error when the marks are not there */
export function inserted(page: string, table: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md has no place for the table: ${BEGIN} … ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`
}
