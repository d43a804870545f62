import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

export interface Media {
  readonly schema?: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: { readonly type?: string; readonly enum?: readonly unknown[]; readonly pattern?: string; readonly format?: string; readonly minimum?: number; readonly maximum?: number; readonly minLength?: number; readonly maxLength?: number }
}

export interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly object[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Media>> }>>
}

export interface Document {
  readonly openapi: string
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export interface Documented {
  readonly document: Document
  /** `GET /v1/position` … */
  routes(): string[]
  operations(): { readonly route: string; readonly method: string; readonly path: string; readonly operation: Operation }[]
  /** What is wrong with an answer as the document has it; empty = nothing. */
  faults(route: string, status: number, type: string, body: unknown): string[]
  /** What the document finds wrong with a body; empty = nothing. */
  bodyFaults(route: string, media: string, value: unknown): string[]
  /** The codes of problems that an operation documents, by status. */
  codes(route: string): Record<string, string[]>
  /** Every example of the document that is not as its schema says. */
  badExamples(): string[]
}

export const PROBLEM = 'application/problem+json'

/** A gateway's own OpenAPI document, to hold its answers against. */
export function documentOf(document: Document): Documented {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ;(formats as unknown as (to: Ajv2020) => void)(ajv)
  ajv.addSchema(document, 'openapi')
  const compiled = new Map<string, ValidateFunction>()
  const validator = (pointer: string): ValidateFunction => {
    let validate = compiled.get(pointer)
    if (validate === undefined) compiled.set(pointer, (validate = ajv.compile({ $ref: `openapi#${pointer}` })))
    return validate
  }
  const broken = (pointer: string, value: unknown): string[] => {
    const validate = validator(pointer)
    return validate(value) ? [] : validate.errors!.map(({ instancePath, message }) => `${pointer} ${instancePath} ${message}`)
  }
  const operations: Documented['operations'] = () => Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, method, operation })))
  const escape = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
  const badMedia = (pointer: string, content: Readonly<Record<string, Media>> = {}): string[] => Object.entries(content).flatMap(([media, { example, examples = {} }]) =>
    [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)].flatMap((value) => broken(`${pointer}/content/${escape(media)}/schema`, value)))
  return {
    document,
    operations,
    routes: () => operations().map(({ route }) => route).sort(),
    faults(route, status, type, body) {
      const [method, path] = route.split(' ') as [string, string]
      const media = type.split(';')[0]!
      const response = document.paths[path]?.[method.toLowerCase()]?.responses[status]
      if (response === undefined) return [`${route} documents no ${status}`]
      if (response.content?.[media] === undefined) return response.content === undefined && type === '' ? [] : [`${route} ${status} documents no ${media}`]
      return broken(`/paths/${escape(path)}/${method.toLowerCase()}/responses/${status}/content/${escape(media)}/schema`, body)
    },
    bodyFaults(route, media, value) {
      const [method, path] = route.split(' ') as [string, string]
      return broken(`/paths/${escape(path)}/${method.toLowerCase()}/requestBody/content/${escape(media)}/schema`, value)
    },
    codes(route) {
      const [method, path] = route.split(' ') as [string, string]
      return Object.fromEntries(Object.entries(document.paths[path]![method.toLowerCase()]!.responses).flatMap(([status, { content }]) => {
        const { allOf } = (content?.[PROBLEM]?.schema ?? {}) as { allOf?: { properties?: { code?: { enum?: string[] } } }[] }
        return allOf === undefined ? [] : [[status, allOf.flatMap(({ properties }) => properties?.code?.enum ?? [])]]
      }))
    },
    badExamples: () => operations().flatMap(({ path, method, operation: { responses, requestBody } }) => {
      const at = `/paths/${escape(path)}/${method}`
      return [...Object.entries(responses).flatMap(([status, { content }]) => badMedia(`${at}/responses/${status}`, content)), ...badMedia(`${at}/requestBody`, requestBody?.content)]
    }),
  }
}
