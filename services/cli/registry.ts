import { incompatibilities } from '@hub/schemas/compat'
import type { Contract } from '@hub/schemas/contracts'
import { CliFailure, EXIT } from './failure.ts'

export const COMPATIBILITY = 'FULL_TRANSITIVE'

export interface Registered {
  subject: string
  id: number
  /** False when the registry had exactly this schema before. */
  added: boolean
}

/** The few calls of the Confluent registry interface that a deployment makes. */
export interface Registry {
  subjects(): Promise<string[]>
  setDefaultCompatibility(): Promise<void>
  /** The id under which exactly this schema is registered for its subject, if it is. */
  find(contract: Contract): Promise<number | undefined>
  /** Registers, then sets the subject's own level: Apicurio refuses the level of a subject without versions. @throws CliFailure naming the fields when incompatible */
  register(contract: Contract): Promise<Registered>
  compatibilityOf(subject: string): Promise<string | undefined>
  /** What the registry has against this schema beside all registered versions, by field; empty = compatible or not registered yet. */
  incompatibilities(contract: Contract): Promise<string[]>
}

export function createRegistry(url: string): Registry {
  const subjectPath = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`
  const bodyOf = (contract: Contract): object => ({ schema: contract.schemaText, schemaType: 'AVRO' })

  async function call(method: string, path: string, body?: object): Promise<{ status: number, answer: Record<string, unknown> & unknown[] }> {
    const response = await fetch(url + path, {
      method,
      signal: AbortSignal.timeout(30_000),
      ...(body && { headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CliFailure(EXIT.environment, `模式注册中心 ${url} 无应答。`, `The schema registry at ${url} does not answer.`, { cause: error })
    })
    const text = await response.text()
    return { status: response.status, answer: parse(text) }
  }

  async function expectOk(method: string, path: string, body?: object): Promise<Record<string, unknown> & unknown[]> {
    const { status, answer } = await call(method, path, body)
    if (status >= 200 && status < 300) return answer
    const message = String(answer['message'] ?? `HTTP ${status}`)
    if (status === 409 || status === 422) throw new CliFailure(EXIT.validation, `模式不兼容或无效（${path}）：${message}`, `The schema is incompatible or not valid (${path}): ${message}`)
    throw new CliFailure(EXIT.environment, `模式注册中心回答 ${status}（${method} ${path}）：${message}`, `The schema registry answered ${status} (${method} ${path}): ${message}`)
  }

  async function find(contract: Contract): Promise<number | undefined> {
    const { status, answer } = await call('POST', subjectPath(contract.subject), bodyOf(contract))
    return status === 200 ? Number(answer['id']) : undefined
  }

  async function addVersion(contract: Contract): Promise<number> {
    const path = `${subjectPath(contract.subject)}/versions`
    try {
      return Number((await expectOk('POST', path, bodyOf(contract)))['id'])
    } catch (error) {
      if (!(error instanceof CliFailure) || error.exit !== EXIT.validation) throw error
      const fields = await fieldsAgainst(contract)
      if (fields.length === 0) throw error
      throw new CliFailure(EXIT.validation, `契约 ${contract.subject} 与已登记版本不兼容：${fields.join('；')}`, `${contract.subject} is incompatible with a registered version: ${fields.join('; ')}`, { cause: error })
    }
  }

  /** Two deployments at once: the registry refuses the second as making what the first has just made, and takes it when asked again. */
  async function setCompatibility(path: string): Promise<void> {
    const { status } = await call('PUT', path, { compatibility: COMPATIBILITY })
    if (status !== 200) await expectOk('PUT', path, { compatibility: COMPATIBILITY })
  }

  /** The fields that break with a registered version. The registry's own answer names places in the file, or nothing. */
  async function fieldsAgainst(contract: Contract): Promise<string[]> {
    const path = `${subjectPath(contract.subject)}/versions`
    const { status, answer: versions } = await call('GET', path)
    if (status !== 200) return []
    const found = await Promise.all(versions.map(async (version) => {
      const { schema } = await expectOk('GET', `${path}/${String(version)}`)
      return incompatibilities(JSON.parse(String(schema)), JSON.parse(contract.schemaText)).map((message) => `version ${String(version)}: ${message}`)
    }))
    return found.flat()
  }

  return {
    find,
    async subjects() {
      return await expectOk('GET', '/subjects') as string[]
    },
    async setDefaultCompatibility() {
      await setCompatibility('/config')
    },
    async register(contract) {
      const before = await find(contract)
      const id = before ?? await addVersion(contract)
      await setCompatibility(`/config/${encodeURIComponent(contract.subject)}`)
      return { subject: contract.subject, id, added: before === undefined }
    },
    async compatibilityOf(subject) {
      const { status, answer } = await call('GET', `/config/${encodeURIComponent(subject)}`)
      return status === 200 ? String(answer['compatibilityLevel'] ?? answer['compatibility']) : undefined
    },
    async incompatibilities(contract) {
      const { status, answer } = await call('POST', `/compatibility${subjectPath(contract.subject)}/versions?verbose=true`, bodyOf(contract))
      if (status === 404 || answer['is_compatible'] === true) return []
      const fields = await fieldsAgainst(contract)
      if (fields.length > 0) return fields
      const messages = answer['messages']
      return Array.isArray(messages) && messages.length > 0 ? messages.map(String) : [String(answer['message'] ?? 'the registry says incompatible')]
    },
  }
}

function parse(text: string): Record<string, unknown> & unknown[] {
  try {
    return JSON.parse(text) as Record<string, unknown> & unknown[]
  } catch {
    return { message: text.slice(0, 200) } as unknown as Record<string, unknown> & unknown[]
  }
}
