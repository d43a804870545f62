import { given } from './cell.ts'

/** One failing item as contracts have it. */
export interface FailingItem {
  readonly item: string
  readonly result?: string | undefined
  readonly limit?: string | undefined
}

const SEPARATOR = /[║‖]/
const BETWEEN = /[、；;\r\n]/

export function isPacked(cell: string): boolean {
  return SEPARATOR.test(cell)
}

/** Failing items of a packed cell `item║result║limit`: one to a line, with `；` between, or one after another without anything. */
export function packedItems(cell: string): FailingItem[] {
  return cell.split(/\r?\n|[；;](?=[^║‖]+[║‖])/).flatMap((line) => {
    const parts = line.split(SEPARATOR).map((part) => given(part))
    return Array.from({ length: Math.ceil(parts.length / 3) }, (_, at) => parts.slice(at * 3, at * 3 + 3))
      .flatMap(([item, result, limit]) => (item === undefined ? [] : [{ item, result, limit }]))
  })
}

/** Failing items of three columns; several in one row stand apart by `、`, `；` or lines, their results and limits by `；` or lines. */
export function listedItems(items: string, results: string, limits: string): FailingItem[] {
  const names = outsideBrackets(items)
  const [result, limit] = [results, limits].map((cell) => {
    const parts = names.length === 1 ? [cell] : cell.split(/[；;\r\n]+/)
    return parts.length === names.length ? parts.map((part) => given(part)) : undefined
  })
  return names.map((item, at) => ({ item, result: result?.[at], limit: limit?.[at] }))
}

/** `铅（以Pb计、干基）、镉` are two. */
function outsideBrackets(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const character of text) {
    if ('（(['.includes(character)) depth++
    if ('）)]'.includes(character)) depth--
    if (depth <= 0 && BETWEEN.test(character)) {
      parts.push(part)
      part = ''
    } else part += character
  }
  return [...parts, part].map((one) => given(one)).filter((one) => one !== undefined)
}

/** Residues of veterinary drugs, whose limits are in μg/kg (GB 31650): a result or limit of whole milligrams is an error of the unit. */
const MICROGRAMS = /恩诺沙星|环丙沙星|氧氟沙星|诺氟沙星|氟苯尼考|孔雀石绿|呋喃|氯霉素|地西泮|五氯酚酸钠|磺胺|甲硝唑|克伦特罗/

export function isUnitDoubtful({ item, result, limit }: FailingItem): boolean {
  return MICROGRAMS.test(item) && [result, limit].some((text) => Number(/^[≤<]?\s*(\d+(?:\.\d+)?)\s*mg\/kg$/.exec(text ?? '')?.[1] ?? 0) >= 10)
}
