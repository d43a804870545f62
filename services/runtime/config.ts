/** One setting: where it comes from, what it is, and a sentence for the generated table in the docs. */
export interface Setting {
  readonly env: string
  readonly type: 'string' | 'int' | 'bool' | 'duration' | 'list' | 'url' | 'path'
  readonly default?: string | number | boolean | readonly string[] | null
  /** The only values that are taken. */
  readonly choices?: readonly string[]
  readonly secret?: boolean
  readonly doc: string
}

type ValueOf<S extends Setting> =
  | (S extends { choices: readonly (infer C)[] } ? C : S['type'] extends 'int' | 'duration' ? number : S['type'] extends 'bool' ? boolean : S['type'] extends 'list' ? string[] : string)
  | (S extends { default: null } ? null : never)

export type ConfigOf<T extends Record<string, Setting>> = { readonly [K in keyof T]: ValueOf<T[K]> }

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`settings are not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** Declares settings once; `read` reports all problems together, by environment name, never a secret's value. Durations are in ms and accept `250ms`, `2s`, `5m`. */
export function defineConfig<const T extends Record<string, Setting>>(table: T): { table: T; read(env?: NodeJS.ProcessEnv): ConfigOf<T> } {
  return {
    table,
    read(env = process.env) {
      const problems: string[] = []
      const values: Record<string, unknown> = {}
      for (const [name, setting] of Object.entries(table)) {
        const raw = env[setting.env]
        if (raw === undefined || raw === '') {
          if (setting.default === undefined) problems.push(`${setting.env} is missing: ${setting.doc}`)
          else values[name] = setting.default
          continue
        }
        const value = parse(setting, raw)
        if (value === undefined) problems.push(`${setting.env} must be ${setting.choices === undefined ? EXPECTED[setting.type] : `one of ${setting.choices.join(', ')}`}${setting.secret ? '' : `, not "${raw}"`}`)
        else values[name] = value
      }
      if (problems.length > 0) throw new ConfigError(problems)
      return values as ConfigOf<T>
    },
  }
}

const EXPECTED = {
  string: 'text', int: 'a whole number', bool: 'true or false', duration: 'a duration such as 250ms, 2s or 5m',
  list: 'a comma-separated list', url: 'a URL such as http://host:port', path: 'a path',
} as const
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function parse(setting: Setting, raw: string): unknown {
  if (setting.choices !== undefined && !setting.choices.includes(raw)) return undefined
  switch (setting.type) {
    case 'int': return /^-?\d{1,15}$/.test(raw) ? Number(raw) : undefined
    case 'bool': return raw === 'true' ? true : raw === 'false' ? false : undefined
    case 'list': {
      const parts = raw.split(',').map((part) => part.trim()).filter((part) => part !== '')
      return parts.length > 0 ? parts : undefined
    }
    // `localhost:5432` is a URL too, of the scheme `localhost`.
    case 'url': return URL.canParse(raw) && raw.includes('://') ? raw : undefined
    case 'duration': {
      const match = /^(\d+)(ms|s|m|h)$/.exec(raw)
      return match === null ? undefined : Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? NaN)
    }
    default: return raw
  }
}
