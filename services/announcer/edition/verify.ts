import type { Text } from '@hub/schemas/codes'
import type { PublicKeys, SignatureFault } from '@hub/runtime/sign'
import { isRegion, REGIONS, type Region } from '@hub/schemas/streams'
import { canonicalJson } from '../canonical.ts'
import { regionName } from '../region-name.ts'
import { opens } from './annex.ts'
import { approvedBytes, digestsOf, recomputedBytes } from './assemble.ts'
import { FORMAT, FORMAT_VERSION, type Digests, type Edition } from './model.ts'
import { LEAST_REGIONS, regionsIn } from './statement.ts'

export type VerifyFault =
  | 'unreadable' | 'other-format' | 'newer-format' | 'malformed' | 'not-canonical' | 'digest-aggregates' | 'digest-annex' | 'digest-tips' | 'annex-row'
  | 'unsigned-part' | 'too-few-regions' | 'signature-missing' | 'signature-twice' | 'signature-of-missing' | 'signature-wrong' | 'no-keys'

export interface VerifyProblem {
  readonly fault: VerifyFault
  readonly region: Region | null
  readonly text: Text
}

export interface Verified {
  readonly valid: boolean
  readonly problems: readonly VerifyProblem[]
  /** As far as the file could be read. */
  readonly edition: Edition | null
  /** Rows whose name was struck: nothing is wrong with them. */
  readonly struck: number
}

/** All that an edition has outside what is hashed; anything else would be in the file without anybody's signature. */
const NAMES = {
  edition: ['annex', 'approved', 'digests', 'format', 'formatVersion', 'recomputed', 'statement', 'tips'],
  digests: ['aggregates', 'annex', 'tips'],
  row: ['commitment', 'salt', 'trader'],
  recomputed: ['at', 'kid', 'region', 'signature'],
  approved: ['approval', 'at', 'kid', 'region', 'signature'],
} as const

/** Larger files are no editions. */
const MOST_BYTES = 16 * 1024 * 1024

const SIGNATURE_FAULTS: Readonly<Record<SignatureFault, Text>> = {
  'unknown-key': ['所用密钥不是该地区公布的密钥', 'made with a key that the region has not declared'],
  'key-not-valid-then': ['签署时密钥不在有效期内', 'made when the key was not valid'],
  'wrong-signature': ['签名与内容不符', 'does not fit the content'],
}

/**
 * Whether a file is what the regions signed: the form, the digests, every row of the list of traders that is shown, a signature and an approval
 * of each region that is in it, by keys the regions have declared. Whether the figures are right only a replica can tell.
 * @param keys what each region declares (`infra/regions/<region>/keys.yaml`)
 */
export function verifyEdition(file: Uint8Array, keys: Readonly<Partial<Record<Region, PublicKeys>>>): Verified {
  const read = readEdition(file)
  if ('problem' in read) return { valid: false, problems: [read.problem], edition: null, struck: 0 }
  const { edition, text } = read
  const problems: VerifyProblem[] = []
  try {
    if (canonicalJson(edition) !== text.trimEnd()) problems.push(problem('not-canonical', ['文件被重新排版过，请重新下载原件', 'the file was written anew in another form: download it again']))
    problems.push(...contentProblems(edition), ...signatureProblems(edition, keys))
  } catch {
    problems.push(problem('malformed', ['文件结构不完整，不是公示文件', 'parts of an edition are missing or of another form']))
    return { valid: false, problems, edition: null, struck: 0 }
  }
  return { valid: problems.length === 0, problems, edition, struck: edition.annex.rows.filter(({ trader }) => trader === null).length }
}

function readEdition(file: Uint8Array): { readonly edition: Edition, readonly text: string } | { readonly problem: VerifyProblem } {
  const unreadable = (): { problem: VerifyProblem } => ({ problem: problem('unreadable', ['文件不是 UTF-8 JSON，可能已损坏', 'the file is no UTF-8 JSON: it may be damaged']) })
  if (file.length > MOST_BYTES) return unreadable()
  let text: string
  let edition: Edition
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file)
    edition = JSON.parse(text) as Edition
  } catch {
    return unreadable()
  }
  if (edition?.format !== FORMAT) return { problem: problem('other-format', ['不是联合公示文件', 'the file is no joint announcement']) }
  if (edition.formatVersion !== FORMAT_VERSION) return { problem: problem('newer-format', ['公示文件的格式版本较新，请更新 hub 后再核验', 'the file is of a newer format: update hub, then verify it']) }
  return { edition, text }
}

function contentProblems(edition: Edition): VerifyProblem[] {
  const { statement, annex, digests } = edition
  const problems: VerifyProblem[] = []
  const unsigned = [extra(edition, 'edition'), extra(digests, 'digests'), ...annex.rows.map((row) => extra(row, 'row')), ...edition.recomputed.map((one) => extra(one, 'recomputed')), ...edition.approved.map((one) => extra(one, 'approved'))].flat()
  if (unsigned.length > 0) problems.push(problem('unsigned-part', [`含有无人签署的内容：${[...new Set(unsigned)].join('、')}`, `it has parts that nobody signed: ${[...new Set(unsigned)].join(', ')}`]))
  const computed = digestsOf(edition)
  const parts: Readonly<Record<keyof Digests, Text>> = { aggregates: ['公示数字', 'the figures'], annex: ['经营者名单', 'the list of traders'], tips: ['消费提示', 'the tips'] }
  for (const part of ['aggregates', 'annex', 'tips'] as const) {
    const [zh, en] = parts[part]
    if (computed[part] !== digests[part]) problems.push(problem(`digest-${part}`, [`${zh}与所载摘要不符，已被改动`, `${en} were changed: they do not have the digest that is stated`]))
  }
  for (const [at, row] of annex.rows.entries()) {
    if (!opens(row)) problems.push(problem('annex-row', [`经营者名单第${at + 1}行与签署内容不符`, `row ${at + 1} of the list of traders is not the one that was signed`]))
  }
  const present = regionsIn(statement)
  const needed = statement.kind === 'full' ? REGIONS.length : LEAST_REGIONS
  if (present.length < needed) problems.push(problem('too-few-regions', [`只有${present.length}个地区，至少须有${needed}个`, `there are ${present.length} regions in it, ${needed} are needed`]))
  return problems
}

function signatureProblems(edition: Edition, keys: Readonly<Partial<Record<Region, PublicKeys>>>): VerifyProblem[] {
  const { statement, digests, recomputed, approved } = edition
  const present = regionsIn(statement)
  const problems: VerifyProblem[] = []
  const kinds = [
    { name: ['复算签名', 'signature'] as const, given: recomputed.map((one) => ({ ...one, bytes: () => recomputedBytes(statement, digests, one) })) },
    { name: ['审核签名', 'approval'] as const, given: approved.map((one) => ({ ...one, bytes: () => approvedBytes(statement, digests, one) })) },
  ]
  for (const { name: [zh, en], given } of kinds) {
    for (const region of present) {
      const count = given.filter((one) => one.region === region).length
      if (count === 0) problems.push(problem('signature-missing', [`缺少${regionName(region)[0]}的${zh}`, `the ${en} of ${regionName(region)[1]} is missing`], region))
      if (count > 1) problems.push(problem('signature-twice', [`${regionName(region)[0]}的${zh}多于一个`, `there is more than one ${en} of ${regionName(region)[1]}`], region))
    }
    for (const { region, kid, signature, at, bytes } of given) {
      if (!isRegion(region) || !present.includes(region)) {
        problems.push(problem('signature-of-missing', [`有不在本公示内的地区的${zh}`, `there is a ${en} of a region that is not in the edition`]))
        continue
      }
      const declared = keys[region]
      if (declared === undefined) {
        problems.push(problem('no-keys', [`没有${regionName(region)[0]}公布的密钥，无法核验其${zh}`, `the keys that ${regionName(region)[1]} declares are not here: its ${en} cannot be checked`], region))
        continue
      }
      const raw = Buffer.from(signature, 'base64')
      const fault = raw.toString('base64') === signature ? declared.check({ kid, signature: raw }, bytes(), Date.parse(at)) : 'wrong-signature'
      if (fault !== undefined) problems.push(problem('signature-wrong', [`${regionName(region)[0]}的${zh}${SIGNATURE_FAULTS[fault][0]}`, `the ${en} of ${regionName(region)[1]} ${SIGNATURE_FAULTS[fault][1]}`], region))
    }
  }
  return problems
}

function extra(part: object, of: keyof typeof NAMES): string[] {
  return Object.keys(part).filter((name) => !(NAMES[of] as readonly string[]).includes(name))
}

function problem(fault: VerifyFault, text: Text, region: Region | null = null): VerifyProblem {
  return { fault, region, text }
}
