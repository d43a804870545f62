import { join } from 'node:path'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import type { Check } from './check.ts'
import { run } from './program.ts'
import { python, versionsOf } from './python.ts'

const SEED = '20261124'
/** The feed answers without an end where it is asked for events; every other answer comes at once. */
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance']

/** Inputs made from the OpenAPI document, right and wrong ones, without a 5xx and with no answer that the document does not have. */
export const schemathesis: Check = {
  name: 'schemathesis',
  proves: '按 OpenAPI 文档生成的输入不引起 5xx，回答均如文档所述 · inputs made from the OpenAPI document cause no 5xx and no answer beside the document',
  async run({ zj, everyRole }) {
    const bin = await python()
    const { status, out, error } = await run(join(bin, 'schemathesis'), [
      'run', `${zj.gateway}/openapi.json`, '--header', `Authorization: Bearer ${everyRole}`, '--checks', CHECKS.join(','), '--max-examples', '100', '--seed', SEED,
      '--workers', '1', '--request-timeout', '10', '--no-color',
    ], { cwd: PROJECT_DATA_DIR })
    const summary = /=+ SUMMARY =+([\s\S]*)$/.exec(out)?.[1]?.trim() ?? out.slice(-2000)
    return { passed: status === 0, seen: status === 0 ? (/(\d+ generated, \d+ passed[^\n]*)/.exec(summary)?.[1] ?? summary) : `${out}${error}`.slice(-6000), versions: await versionsOf(bin, 'schemathesis') }
  },
}
