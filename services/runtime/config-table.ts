import type { Setting } from './config.ts'

const TYPES: Readonly<Record<Setting['type'], string>> = {
  string: '文本 text', int: '整数 whole number', bool: '`true` / `false`', duration: '时长 duration (`250ms`, `2s`, `5m`)',
  list: '逗号分隔 comma-separated', url: 'URL', path: '路径 path',
}

/** The settings as a Markdown table, in their order. Defaults below the folder `root` are shown relative to it. */
export function configTable(table: Readonly<Record<string, Setting>>, root: string): string {
  const rows = Object.values(table).map((setting) => [
    `\`${setting.env}\``, TYPES[setting.type], defaultOf(setting, root), setting.secret === true ? `${setting.doc} (密钥，不入日志 secret, never logged)` : setting.doc,
  ])
  return [['环境变量 variable', '类型 type', '默认 default', '含义 meaning'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map(escape).join(' | ')} |`).join('\n')
}

function defaultOf({ default: value, type }: Setting, root: string): string {
  if (value === undefined) return '**必填 required**'
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) return '无 none'
  if (Array.isArray(value)) return `\`${value.join(',')}\``
  if (type === 'duration') return `\`${durationText(Number(value))}\``
  const text = String(value)
  return `\`${type === 'path' && text.startsWith(root) ? text.slice(root.length) : text}\``
}

/** The way a duration is written in the environment: the largest unit that divides it. */
function durationText(ms: number): string {
  const units: readonly (readonly [string, number])[] = [['h', 3_600_000], ['m', 60_000], ['s', 1_000]]
  const [unit, size] = units.find(([, unitMs]) => ms > 0 && ms % unitMs === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

function escape(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
