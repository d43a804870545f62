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

function onlyTypes(what: string): boolean {
  const names = /^\s*\{([\s\S]*)\}\s*$/.exec(what)?.[1]?.split(',').map((name) => name.trim()).filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}
