import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { GB_CODES, type Region } from '@hub/schemas/streams'

/**
 * A division of the four regions (`divisions.csv`): province, city, county, a development zone that stands in credit codes, one that only statistics know, or a name that
 * is no longer valid.
 */
export interface Division {
  /** GB/T 2260 or, of a zone, as statistics and credit codes use it; 6 digits. */
  readonly code: string
  readonly name: string
  readonly kind: 'province' | 'city' | 'county' | 'zone' | 'statistics' | 'abolished'
  /** Of an abolished one the division that it became part of, of a zone the city around it. */
  readonly successor: string
}

const divisions = parse<Record<string, string>>(readFileSync(new URL('divisions.csv', import.meta.url)), { columns: true }) as unknown as Division[]
const byCode = new Map(divisions.map((division) => [division.code, division]))

/** Written names of places and their codes, by the province or city they lie in. */
const provinces = namesOf(divisions.filter(({ kind }) => kind === 'province'), /[省市]$/)
const cities = namesOf(divisions.filter(({ kind }) => kind === 'city'), /市$/)
const counties = namesOf(divisions.filter(({ kind }) => kind !== 'province' && kind !== 'city'), /(?:新区|区|(?:畲族自治)?县|市)$/)

type Names = ReadonlyMap<string, readonly string[]>

export function divisionName(code: string): string | undefined {
  return byCode.get(code)?.name
}

/** Whether a code belongs to a region: its own, those of its cities and counties, zones and old codes. */
export function liesIn(code: string, region: Region): boolean {
  return code.startsWith(GB_CODES[region])
}

export interface Place {
  /** The division in force today: an abolished name gives its successor. */
  readonly code: string
  /** False for a province or a city with counties. */
  readonly exact: boolean
  /** How much of the text names it. */
  readonly length: number
}

/**
 * The place that a text begins with: `江苏省常州市天宁区…`, `新沂市…`, `秦淮…`. A name that several places share counts where the words before it, or else the
 * region, tell them apart.
 */
export function placeAtStart(text: string, region?: Region, within?: string): Place | undefined {
  let at = 0
  let around = within ?? ''
  let found: Place | undefined
  const province = longest(provinces, text, at, '')
  if (province !== undefined) {
    at += province.length
    around = province.code.slice(0, 2)
    found = { code: province.code, exact: false, length: at }
  }
  const city = longest(cities, text, at, around.slice(0, 2))
  const whole = longest(counties, text, at, around, region)
  // 苏州工业园区 begins with the name of its city.
  if (city !== undefined && (whole?.length ?? 0) <= city.length) {
    at += city.length
    around = city.code.slice(0, 4)
    found = { code: city.code, exact: false, length: at }
  }
  const county = longest(counties, text, at, around, region)
  if (county === undefined) return found
  const division = byCode.get(county.code)!
  return { code: division.kind === 'abolished' || division.kind === 'statistics' ? division.successor : county.code, exact: true, length: at + county.length }
}

/** Where a firm is: a branch that its name tells after the company's, then the place its name begins with, then its address. */
export function placeOfFirm(name: string | undefined, address: string | undefined, region: Region): string | undefined {
  const own = name === undefined ? undefined : placeAtStart(name, region)
  const [, branch] = /公司(.+)$/.exec(name ?? '') ?? []
  const exact = [
    branch === undefined ? undefined : placeAtStart(branch, region, own?.code.slice(0, own.code.endsWith('0000') ? 2 : 4)) ?? placeAtStart(branch),
    own,
    address === undefined ? undefined : placeAtStart(address, region),
  ].filter((place) => place !== undefined)
  return (exact.find((place) => place.exact) ?? exact[0])?.code
}

function namesOf(among: readonly Division[], suffix: RegExp): Names {
  const names = new Map<string, string[]>()
  const add = (name: string, code: string): void => {
    if (name.length > 1) names.set(name, [...(names.get(name) ?? []), code])
  }
  for (const { name, code } of among) {
    add(name, code)
    const short = name.replace(suffix, '')
    if (short !== name) add(short, code)
  }
  return names
}

/** The longest of the names that stands at a place of the text and means one division. */
function longest(names: Names, text: string, at: number, around: string, region?: Region): { code: string, length: number } | undefined {
  for (let length = Math.min(12, text.length - at); length >= 2; length--) {
    const codes = names.get(text.slice(at, at + length))?.filter((code) => code.startsWith(around))
    if (codes === undefined || codes.length === 0) continue
    const one = codes.length === 1 ? codes[0] : only(codes.filter((code) => region !== undefined && liesIn(code, region)))
    if (one !== undefined) return { code: one, length }
  }
  return undefined
}

function only(codes: readonly string[]): string | undefined {
  return codes.length === 1 ? codes[0] : undefined
}

/** Provinces outside the four regions: enough to tell that a firm is not in them. */
const ELSEWHERE = /^(?:北京|天津|重庆|河北|山西|辽宁|吉林|黑龙江|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)/

export function liesOutside(text: string): boolean {
  return ELSEWHERE.test(text)
}
