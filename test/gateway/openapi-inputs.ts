import fc, { type Arbitrary } from 'fast-check'
import type { Operation, Parameter } from './openapi.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** The address of a good request with one parameter as the document does not allow it: another type, out of range, missing, or (where there are any) unknown. */
export function brokenParameters(route: string, good: URL, { parameters = [] }: Operation): Arbitrary<URL> {
  const names = new Set(parameters.flatMap(({ name, in: where }) => (where === 'query' ? [name] : [])))
  const unknown = fc.stringMatching(/^[a-zA-Z]{1,12}$/).filter((name) => !names.has(name)).map((name) => change(good, (query) => query.set(name, 'x')))
  const wrong = parameters.flatMap((parameter) => [
    ...wrongValues(parameter).map((values) => values.map((value) => (parameter.in === 'query' ? change(good, (query) => query.set(parameter.name, value)) : inPath(route, good, parameter.name, value)))),
    ...(parameter.in === 'query' && parameter.required === true ? [fc.constant(change(good, (query) => query.delete(parameter.name)))] : []),
  ])
  return fc.oneof(...(names.size > 0 ? [unknown] : []), ...wrong)
}

/** Texts that a parameter's schema does not allow, one generator for each rule. */
function wrongValues({ schema, in: where }: Parameter): Arbitrary<string>[] {
  const word = fc.stringMatching(/^[a-z]{1,20}$/)
  const wrong: Arbitrary<string>[] = []
  if (schema.enum !== undefined) wrong.push(word.filter((text) => !schema.enum!.includes(text)))
  if (schema.type === 'integer' || schema.type === 'number') wrong.push(word)
  if (schema.type === 'boolean') wrong.push(word.filter((text) => text !== 'true' && text !== 'false' && text !== 'null'))
  if (schema.minimum !== undefined) wrong.push(fc.integer({ min: -1e9, max: schema.minimum - 1 }).map(String))
  if (schema.maximum !== undefined) wrong.push(fc.integer({ min: schema.maximum + 1, max: 2e9 }).map(String))
  if (schema.pattern !== undefined) wrong.push(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }).filter((text) => !new RegExp(schema.pattern!, 'u').test(text) && (where === 'query' || /^[\w-]+$/.test(text))))
  if (schema.maxLength !== undefined) wrong.push(fc.integer({ min: schema.maxLength + 1, max: schema.maxLength + 200 }).map((length) => 'a'.repeat(length)))
  if (schema.minLength !== undefined && schema.minLength > 0) wrong.push(fc.integer({ min: 0, max: schema.minLength - 1 }).map((length) => 'a'.repeat(length)))
  return wrong
}

function change(url: URL, edit: (query: URLSearchParams) => void): URL {
  const changed = new URL(url)
  edit(changed.searchParams)
  return changed
}

function inPath(route: string, good: URL, name: string, value: string): URL {
  const changed = new URL(good)
  const place = route.split(' ')[1]!.split('/').indexOf(`{${name}}`)
  changed.pathname = good.pathname.split('/').with(place, encodeURIComponent(value)).join('/')
  return changed
}

/** An event with something in it made different: taken away, put in, replaced by any JSON, made too long or too large. */
export function mutated(event: Record<string, unknown>): Arbitrary<Json> {
  const original = event as { [name: string]: Json }
  const replacement = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }) as Arbitrary<Json>,
    fc.string({ maxLength: 12 }),
    fc.integer({ min: 1, max: 3_000 }).map((length) => '长'.repeat(length)),
    fc.constantFrom<Json>('2026-02-30', '2026-13-01T00:00:00+08:00', '2026-01-01', '91330383MAY237W69P', '', ' ', -1, 0, 1.5, 1e15, 2 ** 53, -(2 ** 63), true, null),
  )
  const way = fc.constantFrom<'remove' | 'replace' | 'add'>('remove', 'replace', 'add')
  return fc.tuple(fc.constantFrom(...pathsOf(original)), way, replacement, fc.stringMatching(/^[a-z]{3,10}$/)).map(([path, how, value, name]) => {
    const copy = structuredClone(original)
    let holder: Json = copy
    for (const step of path.slice(0, -1)) holder = (holder as Record<string, Json>)[step]!
    const last = path.at(-1)!
    const at = holder as Record<string, Json>
    if (how === 'add') at[name] = value
    else if (how === 'replace' || Array.isArray(holder)) at[last] = value
    else delete at[last]
    return copy
  })
}

function pathsOf(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [[...path, name], ...pathsOf(inner, [...path, name])])
}
