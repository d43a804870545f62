import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import { run } from './program.ts'

const VENV = join(PROJECT_DATA_DIR, 'python')
const PACKAGES: Readonly<Record<string, string>> = { 'confluent-kafka': '2.16.1', fastavro: '1.13.1', schemathesis: '4.32.5' }

/** The Python of an environment in .hub with the clients that the checks use, made through pip with its mirrors; its `bin` folder. */
export async function python(): Promise<string> {
  const bin = join(VENV, 'bin')
  if (!existsSync(join(bin, 'python'))) {
    const made = await run(process.env['HUB_PYTHON'] ?? 'python3', ['-m', 'venv', VENV]).catch((error: unknown) => ({ status: -1, error: String(error) }))
    if (made.status !== 0) throw new Error(`需要 Python 3 及其 venv 模块（HUB_PYTHON 指定路径） · Python 3 with its venv module is needed (HUB_PYTHON names it): ${made.error}`)
  }
  const installed = await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...Object.entries(PACKAGES).map(([name, version]) => `${name}==${version}`)])
  if (installed.status !== 0) throw new Error(`pip 安装失败 · pip could not install: ${installed.error.trim()}`)
  return bin
}

/** `python 3.11.7` and the versions of these packages. */
export async function versionsOf(bin: string, ...packages: readonly string[]): Promise<string[]> {
  const { out } = await run(join(bin, 'python'), ['--version'])
  return [out.trim(), ...packages.map((name) => `${name} ${PACKAGES[name]}`)]
}
