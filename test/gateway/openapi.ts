import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

interface Document {
  openapi: string
  paths: Record<string, Record<string, { operationId?: string; security?: unknown[]; responses: Record<string, { content?: Record<string, { schema: object; example?: unknown; examples?: Record<string, { value: unknown }> }> }> }>>
  components: { schemas: Record<string, object> }
}

export interface Documented {
  readonly document: Document
  /** `GET /v1/position` … */
  routes(): string[]
  /** What is wrong with an answer as the document has it; empty = nothing. */
  faults(route: string, status: number, type: string, body: unknown): string[]
  /** Every example of the document that is not as its schema says. */
  badExamples(): string[]
}

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
  const operations = () => Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })))
  const escape = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
  return {
    document,
    routes: () => operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort(),
    faults(route, status, type, body) {
      const [method, path] = route.split(' ') as [string, string]
      const media = type.split(';')[0]!
      const response = document.paths[path]?.[method.toLowerCase()]?.responses[status]
      if (response === undefined) return [`${route} documents no ${status}`]
      if (response.content?.[media] === undefined) return [`${route} ${status} documents no ${media}`]
      return broken(`/paths/${escape(path)}/${method.toLowerCase()}/responses/${status}/content/${escape(media)}/schema`, body)
    },
    badExamples: () => operations().flatMap(({ path, method, operation }) => {
      const at = `/paths/${escape(path)}/${method}`
      const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) => Object.entries(content).flatMap(([media, { example }]) =>
        (example === undefined ? [] : broken(`${at}/responses/${status}/content/${escape(media)}/schema`, example))))
      const bodies = (operation as { requestBody?: Document['paths'][string][string]['responses'][string] }).requestBody?.content ?? {}
      return [...answers, ...Object.entries(bodies).flatMap(([media, { examples = {} }]) => Object.values(examples).flatMap(({ value }) => broken(`${at}/requestBody/content/${escape(media)}/schema`, value)))]
    }),
  }
}
