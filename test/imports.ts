export interface Import { specifier: string, typeOnly: boolean }

const STATEMENT = /^[ \t]*(?:import|export)(?<type>\s+type\b)?(?<what>[^'"`;()]*?)\bfrom\s*(['"])(?<specifier>[^'"]+)\3/gm
const BARE = /^[ \t]*import\s*(['"])(?<specifier>[^'"]+)\1/gm
const CALL = /\b(?:import|require|require\.resolve)\(\s*(['"])(?<specifier>[^'"]+)\1\s*\)/g

/** What a module imports or exports from elsewhere, in any form; `import { type A }` alone counts as types. */
export function importsOf(source: string): Import[] {
  const statements = [...source.matchAll(STATEMENT)].map(({ groups }) => ({
    specifier: groups!['specifier']!,
    typeOnly: groups!['type'] !== undefined || onlyTypes(groups!['what'] ?? ''),
  }))
  const others = [...source.matchAll(BARE), ...source.matchAll(CALL)].map(({ groups }) => ({ specifier: groups!['specifier']!, typeOnly: false }))
  return [...statements, ...others]
}

/** The workspace package a path of the repository belongs to. */
export function packageOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  if (first === 'services') return `@hub/${second}`
  if (first === 'infra' && second === 'local') return '@hub/local'
  return first === 'schemas' || first === 'test' ? `@hub/${first}` : `/${first}`
}

/** A path of imports that leads back to where it began, for each file from which one starts first. */
export function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const settled = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file)
    if (at !== -1) found.push([...path.slice(at), file].join(' → '))
    if (at !== -1 || settled.has(file)) return
    for (const next of imports.get(file) ?? []) walk(next, [...path, file])
    settled.add(file)
  }
  for (const file of imports.keys()) walk(file, [])
  return found
}

function onlyTypes(what: string): boolean {
  const names = /^\s*\{([\s\S]*)\}\s*$/.exec(what)?.[1]?.split(',').map((name) => name.trim()).filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}
