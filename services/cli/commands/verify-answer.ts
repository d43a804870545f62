import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isDeepStrictEqual } from 'node:util'
import type { Command } from 'commander'
import { readJws } from '@hub/runtime/jws'
import { readPublicKeys } from '@hub/runtime/sign'
import type { Cli } from '../cli.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { both } from '../output.ts'
import { toRegion } from '../settings.ts'

/** What the credit lookup says that its signed answers are. */
const TYPE = 'yrd-credit-answer'
/** Beside the answer in a problem document; they say nothing of the firm. */
const OF_THE_PROBLEM = new Set(['type', 'title', 'status', 'code', 'detail', 'instance', 'jws'])

interface Payload {
  readonly region: string
  readonly at: string
  readonly question: Readonly<Record<string, string>>
  readonly answer: Readonly<Record<string, unknown>>
}

const FAULTS = {
  'unknown-key': ['该地区没有公布这把公钥', 'the region has declared no such key'],
  'key-not-valid-then': ['签名时该公钥不在有效期内', 'the key was not valid when it signed'],
  'wrong-signature': ['签名与内容不符', 'the signature is not of this content'],
} as const

/** `hub verify-answer`: whether a signed answer of a credit lookup is what a region said. Asks nobody. */
export function addVerifyAnswer(program: Command, cli: Cli): void {
  cli.command(program, 'verify-answer', '离线核验信用查询的技术凭证（非电子印章）', 'verify a signed answer of the credit lookup offline; a technical proof, not an electronic seal')
    .argument('<file>', '带签名的答复（?signed=true）或其中的 jws；- 为标准输入 · the signed answer, or its jws; - is standard input')
    .option('--keys <folder>', '各地区公钥所在目录（<地区>/keys.yaml） · folder of the regions\' public keys')
    .action(cli.action(async ({ settings, out }, [file], options) => {
      const given = await readGiven(file!, cli)
      const { signed, bytes, payload } = readSigned(given.jws)
      const { region, at, question, answer } = payload as Payload
      const folder = (options['keys'] as string | undefined) ?? settings().publicKeysDir!
      const keys = await readPublicKeys(join(folder, toRegion(region), 'keys.yaml'))
      const fault = keys.check(signed, bytes, Date.parse(at))
      if (fault !== undefined) throw new CliFailure(EXIT.runtime, `核验不通过：${FAULTS[fault][0]}（${region} ${signed.kid}）。`, `Not verified: ${FAULTS[fault][1]} (${region} ${signed.kid}).`)
      const changed = given.answer === undefined ? [] : differences(given.answer, answer)
      if (changed.length > 0) throw new CliFailure(EXIT.runtime, `核验不通过：答复与所签内容不同（${changed.join('、')}）。`, `Not verified: the answer is not what was signed (${changed.join(', ')}).`)
      out.result({ verified: true, region, kid: signed.kid, at, question, verdict: answer['verdict'] }, () => [
        both('核验通过：此内容由该地区的信用查询服务签出，签出后未改动。这是技术凭证，不是电子印章。', 'Verified: the credit lookup of the region said this, and nothing was changed since. A technical proof, not an electronic seal.'),
        `${region}  ${signed.kid}  ${at}`,
        `${Object.values(question).join('  ')}  ${String(answer['verdict'])}`,
      ].join('\n'))
    }))
}

async function readGiven(file: string, cli: Cli): Promise<{ jws: string, answer?: Record<string, unknown> }> {
  let content: string
  try {
    content = (file === '-' ? await text(cli.stdin) : await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new CliFailure(EXIT.validation, `读不到 ${file}。`, `${file} cannot be read.`, { cause: error })
  }
  if (!content.startsWith('{')) return { jws: content }
  try {
    const { jws, ...answer } = JSON.parse(content) as Record<string, unknown>
    if (typeof jws === 'string') return { jws, answer }
  } catch {
    // Said below.
  }
  throw new CliFailure(EXIT.validation, '文件中没有 jws：请以 ?signed=true 查询，并原样保存答复。', 'There is no jws in the file: ask with ?signed=true and keep the answer as it is.')
}

function readSigned(jws: string): ReturnType<typeof readJws> {
  try {
    return readJws(jws, TYPE)
  } catch (error) {
    throw new CliFailure(EXIT.runtime, '核验不通过：不是信用查询的技术凭证。', `Not verified: this is no signed answer of the credit lookup (${(error as Error).message}).`, { cause: error })
  }
}

function differences(given: Readonly<Record<string, unknown>>, signed: Readonly<Record<string, unknown>>): string[] {
  const names = new Set([...Object.keys(given).filter((name) => !OF_THE_PROBLEM.has(name)), ...Object.keys(signed)])
  return [...names].filter((name) => !isDeepStrictEqual(given[name], signed[name]))
}
