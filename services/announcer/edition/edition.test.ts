import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { generateSigningKey, parsePublicKeys, sign, type PublicKeys, type SigningKey } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { loadCalendar } from '../calendar/load.ts'
import { planOf } from '../campaigns.ts'
import type { RegionAtCut } from '../completeness.ts'
import { NO_CELLS, type Cells } from '../figures/cells.ts'
import { spansOf } from '../figures/periods.ts'
import { UNEDITED } from '../figures/rises.ts'
import { traderRows } from '../figures/traders.ts'
import { annexOf, LEAST_ACCEPTED, saltsFrom, struck, traderList, type TraderList } from './annex.ts'
import { approvedBytes, assembleEdition, digestsOf, editionBytes, lacking, recomputedBytes, type Content } from './assemble.ts'
import { correctedCells, type Correction } from './corrections.ts'
import { disagreements } from './disagreement.ts'
import type { Approved, Edition, Recomputed } from './model.ts'
import { erratumOf, regionsIn, retractionOf, statementOf, type CutState } from './statement.ts'
import { verifyEdition } from './verify.ts'

const calendar = loadCalendar()
const plan = planOf(calendar, 'spring-festival', 2026)
const AT = '2026-02-25T00:00:05+08:00'
const SALTS = saltsFrom('7'.repeat(64))
const FIRM = '91330110993733187N'
const OTHER = '91310106MAX97QKCXB'

const keys = Object.fromEntries(REGIONS.map((region) => [region, generateSigningKey()])) as Record<Region, SigningKey>
const declared = Object.fromEntries(REGIONS.map((region) => [region, keysOf(keys[region])])) as Record<Region, PublicKeys>

const complete: RegionAtCut = { cut: true, sources: [{ source: '12315', owner: '投诉处', baselineComplete: true, lastHandOver: Date.parse('2026-02-24T09:00:00+08:00') }] }
const absent: RegionAtCut = { cut: false, sources: [] }

function cut(change: Partial<CutState> = {}): CutState {
  return {
    plan, demo: false, cells: cellsOfAll(),
    regions: Object.fromEntries(REGIONS.map((region) => [region, complete])) as Record<Region, RegionAtCut>,
    basis: REGIONS.flatMap((region) => [1, 0].map((partition) => ({ region, topic: `${region}.complaint`, partition, generation: 'g', offset: 7, parked: 0, parkedDigest: '00' }))),
    ...change,
  }
}

function without(missing: Region): CutState {
  const whole = cut()
  return { ...whole, regions: { ...whole.regions, [missing]: absent } }
}

describe('an edition', () => {
  const edition = publish(contentOf(cut()))

  test('of four regions is full, valid anywhere, and the same bytes whoever puts it together', () => {
    expect(edition.statement).toMatchObject({ edition: 1, kind: 'full', title: ['2026年春节长三角消费投诉信息公示', 'Consumer complaints in the Yangtze Delta, Spring Festival 2026'] })
    expect(verifyEdition(editionBytes(edition), declared)).toMatchObject({ valid: true, problems: [], struck: 0 })
    const content = contentOf(cut())
    const shuffled = contentOf({ ...cut(), cells: { ...cellsOfAll(), days: cellsOfAll().days.toReversed() }, basis: cut().basis.toReversed() })
    expect(assembleEdition(shuffled, signed(content).toReversed(), approvedBy(content).toReversed()).bytes).toEqual(editionBytes(edition))
  })

  test('states every definition that it uses', () => {
    const stated = edition.statement.definitions.map(({ id, version }) => `${id}@${version}`)
    const used = JSON.stringify([edition.statement.figures, edition.annex]).matchAll(/"definition":"([a-z-]+@\d+)"/g)
    for (const [, ref] of used) expect(stated).toContain(ref)
    expect(stated).toContain('success-rate@1')
  })

  test('names its trader by the twelve months to the cut, and for a year', () => {
    expect(edition.annex).toMatchObject({ window: { from: '2025-02-25', to: '2026-02-24' }, minimum: 10, namesUntil: '2027-02-25', rule: 'CMP.PUBLISH_TERM@1' })
    expect(edition.annex.rows.map(({ trader }) => trader)).toEqual([{ uscc: FIRM, name: '甲公司', regions: ['sh', 'zj'], counted: 13, accepted: 12, settled: 5, terminated: 3 }])
  })

  test('is not put together while a signature or an approval is lacking', () => {
    const content = contentOf(cut())
    const [first, ...rest] = signed(content)
    expect(lacking(content, rest, approvedBy(content))).toEqual({ recomputed: [first!.region], approved: [] })
    expect(() => assembleEdition(content, rest, approvedBy(content))).toThrow(/尚缺复算签名：上海；尚缺审核：无 .* lacking signatures: Shanghai; approvals: none/)
    expect(() => assembleEdition(content, [first!, first!, ...rest], approvedBy(content))).toThrow(/上海重复签署/)
  })

  test('is not put together with a tip that nobody has edited', () => {
    const content = { ...contentOf(cut()), tips: [{ zh: `投诉增至9件。${UNEDITED}`, en: null }] }
    expect(() => assembleEdition(content, signed(content), approvedBy(content))).toThrow(/not been edited/)
  })
})

describe('a region that is missing', () => {
  const edition = publish(contentOf(without('zj')))

  test('is named in the title, is in no figure, and the other three sign', () => {
    expect(edition.statement).toMatchObject({ kind: 'partial', title: ['2026年春节长三角消费投诉信息公示（未含浙江）', 'Consumer complaints in the Yangtze Delta, Spring Festival 2026 (without Zhejiang)'] })
    expect(edition.statement.figures!.counts[0]!.counts).toEqual({ sh: 3, js: 3, zj: null, ah: 3, total: 9 })
    expect(edition.recomputed.map(({ region }) => region)).toEqual(['sh', 'js', 'ah'])
    expect(edition.statement.basis.some(({ region }) => region === 'zj')).toBe(false)
    expect(edition.annex.rows).toEqual([])
    expect(verifyEdition(editionBytes(edition), declared).valid).toBe(true)
  })

  test('two are too many', () => {
    const state = without('zj')
    expect(() => statementOf({ ...state, regions: { ...state.regions, ah: absent } }, calendar)).toThrow(/needs 3 regions/)
  })

  test('that returns completes the figures in an erratum edition', () => {
    const erratum = erratumOf(cut(), calendar, edition.statement, [{ region: 'zj', reason: 'region-returned', recordId: null, before: null, after: null }])
    expect(erratum).toMatchObject({ edition: 2, kind: 'erratum', title: ['2026年春节长三角消费投诉信息公示（第2版，更正）', expect.anything()] })
    expect(erratum.figures!.counts[0]!.counts).toEqual({ sh: 3, js: 3, zj: 3, ah: 3, total: 12 })
    expect(erratum.erratum).toMatchObject({ corrects: { edition: 1, aggregates: edition.digests.aggregates }, corrections: [{ region: 'zj', reason: 'region-returned', records: 0 }] })
    expect(erratum.erratum!.changes).toContainEqual({ region: 'zj', definition: 'received@1', code: null, before: null, after: '3' })
    expect(erratum.erratum!.changes).toContainEqual({ region: null, definition: 'received@1', code: null, before: '9', after: '12' })
    expect(verifyEdition(editionBytes(publish({ ...contentOf(cut()), statement: erratum })), declared).valid).toBe(true)
  })
})

describe('a correction', () => {
  const first = statementOf(cut(), calendar)
  const one = (uscc: string): Cells => ({ ...NO_CELLS, traders: [{ region: 'sh', day: '2026-02-16', uscc, name: uscc === FIRM ? '甲公司' : '乙公司', counted: 1, accepted: 1, settled: 0, terminated: 0 }] })
  const voided: Correction = {
    region: 'sh', reason: 'voided', recordId: '12315/9', after: null,
    before: { ...NO_CELLS, days: [{ region: 'sh', day: '2026-02-16', state: 'settled', outcome: 'settled', online: true, n: 1, recoveredFen: 100n }] },
  }

  test('of a wrong trader changes the list and no figure, and its record is bound by a digest alone', () => {
    const corrections: Correction[] = [{ region: 'sh', reason: 'wrong-trader', recordId: '12315/7', before: one(FIRM), after: one(OTHER) }]
    const erratum = erratumOf(cut(), calendar, first, corrections)
    expect(erratum.figures).toEqual(first.figures)
    expect(erratum.erratum!.corrections).toEqual([{ region: 'sh', reason: 'wrong-trader', records: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect(JSON.stringify(erratum)).not.toMatch(/12315\/7|公司"/)
    expect(erratumOf(cut(), calendar, first, [{ ...corrections[0]!, recordId: '12315/8' }]).erratum!.corrections[0]!.digest).not.toBe(erratum.erratum!.corrections[0]!.digest)
  })

  test('of a trader is the same for copies that were added up over the twelve months', () => {
    const corrections: Correction[] = [{ region: 'sh', reason: 'wrong-trader', recordId: '12315/7', before: one(FIRM), after: one(OTHER) }]
    const spans = spansOf(plan, calendar)
    const summed = { ...cellsOfAll(), traders: cellsOfAll().traders.filter(({ day }) => day >= spans.traders.from).map((cell) => ({ ...cell, day: spans.traders.from })) }
    const lists = [cellsOfAll(), summed].map((cells) => listOf(correctedCells(cells, corrections, spans)).traders)
    expect(lists[0]!.map(({ uscc, accepted }) => [uscc, accepted])).toEqual([[FIRM, 11], [OTHER, 10]])
    expect(lists[1]).toEqual(lists[0])
  })

  test('of a voided record says what moved, and what is withheld now', () => {
    const { erratum, figures } = erratumOf(cut(), calendar, first, [voided])
    expect(figures!.counts[0]!.counts).toMatchObject({ sh: 2, total: 11 })
    expect(erratum!.changes).toContainEqual({ region: 'sh', definition: 'received@1', code: null, before: '3', after: '2' })
    expect(erratum!.changes).toContainEqual({ region: 'sh', definition: 'recovered@1', code: null, before: '100', after: null })
  })

  test.each<[string, Correction[], RegExp]>([
    ['that says nothing', [], /states what it corrects/],
    ['of what is not in the cut', [{ ...voided, before: { ...NO_CELLS, days: [{ ...voided.before!.days[0]!, online: false }] } }], /not in the cut/],
    ['of a day of another period', [{ ...voided, before: { ...NO_CELLS, days: [{ ...voided.before!.days[0]!, day: '2025-01-29' }] } }], /not in the cut/],
    ['of no day that is read', [{ ...voided, before: { ...NO_CELLS, days: [{ ...voided.before!.days[0]!, day: '2024-02-16' }] } }], /no day that this announcement reads/],
    ["of another region's cells", [{ ...voided, region: 'js' }], /js cannot correct a cell of sh/],
  ])('%s is refused', (_what, corrections, message) => {
    expect(() => erratumOf(cut(), calendar, first, corrections)).toThrow(message)
  })

  test('a retraction leaves no figures, and nothing corrects it', () => {
    const retraction = retractionOf(first)
    expect(retraction).toMatchObject({ edition: 2, kind: 'retracted', figures: null, erratum: { corrects: { edition: 1 } }, title: [expect.stringContaining('撤回'), expect.anything()] })
    const { annex } = contentOf(cut())
    expect(verifyEdition(editionBytes(publish({ statement: retraction, annex: { ...annex, rows: [] }, tips: [] })), declared).valid).toBe(true)
    expect(() => erratumOf(cut(), calendar, retraction, [voided])).toThrow(/not corrected/)
  })
})

describe('the list of traders', () => {
  const content = contentOf(cut())
  const edition = publish(content)

  test('has a salt of its own in every row, and the same one in every region', () => {
    expect(new Set(Array.from({ length: 100 }, (_, row) => SALTS(row))).size).toBe(100)
    expect(saltsFrom('7'.repeat(64))(3)).toBe(SALTS(3))
    expect(saltsFrom('8'.repeat(64))(3)).not.toBe(SALTS(3))
    expect(() => saltsFrom('7'.repeat(32))).toThrow(/32 random bytes/)
  })

  test('loses a name and its salt, and the signatures still hold', () => {
    const later = { ...edition, annex: struck(edition.annex, ({ uscc }) => uscc === FIRM) }
    expect(editionBytes(later).toString()).not.toMatch(/甲公司|91330110993733187N/)
    expect(verifyEdition(editionBytes(later), declared)).toMatchObject({ valid: true, struck: 1 })
  })

  test('names nobody where no rule says how long', () => {
    const old = planOf(calendar, 'spring-festival', 2021)
    expect(traderList(traderRows(cellsOfAll(), spansOf(old, calendar).traders, 0, REGIONS), old, 0)).toMatchObject({ namesUntil: null, rule: 'CMP.PUBLISH_TERM', traders: [] })
  })
})

describe('a draft', () => {
  const draft = contentOf(cut())
  const said = { statement: draft.statement, digests: digestsOf(draft) }
  const own = (cells: Cells, change: Partial<CutState> = {}) => ({ statement: statementOf(cut({ cells, ...change }), calendar), annex: annexOf(listOf(cells), SALTS) })
  const parts = (mine: ReturnType<typeof own>) => disagreements(said, mine).map(({ part }) => part)

  test('that says what a region computes is signed', () => {
    expect(disagreements(said, own(cellsOfAll()))).toEqual([])
  })

  test('is not signed by a region whose figures are others, which it names', () => {
    const [first, ...rest] = cellsOfAll().days
    const found = disagreements(said, own({ ...cellsOfAll(), days: [{ ...first!, n: 2 }, ...rest] }))
    expect(found.map(({ part }) => part)).toEqual(['figures'])
    expect(found[0]!.changes).toContainEqual({ region: 'sh', definition: 'received@1', code: null, before: '3', after: '4' })
  })

  test('nor over traders, the cut or anything else', () => {
    expect(parts(own({ ...cellsOfAll(), traders: [] }))).toEqual(['traders'])
    expect(parts({ ...own(cellsOfAll()), annex: annexOf(listOf(cellsOfAll(), REGIONS, 11), SALTS) })).toEqual(['traders'])
    expect(parts(own(cellsOfAll(), { basis: cut().basis.map((one) => ({ ...one, parked: 1 })) }))).toEqual(['cut'])
    expect(parts(own(cellsOfAll(), { demo: true }))).toEqual(['statement'])
  })
})

describe('the contract', () => {
  const full = publish(contentOf(cut()))
  const partial = publish(contentOf(without('zj')))
  const returned = erratumOf(cut(), calendar, partial.statement, [{ region: 'zj', reason: 'region-returned', recordId: null, before: null, after: null }])
  const later = statementOf(cut({ plan: planOf(calendar, 'may-day', 2026), cells: NO_CELLS, demo: true }), calendar)
  const editions: Record<string, Edition> = {
    full, partial, struck: { ...full, annex: struck(full.annex, () => true) }, erratum: publish({ ...contentOf(cut()), statement: returned }),
    retracted: publish({ ...contentOf(cut()), statement: retractionOf(full.statement), tips: [] }), 'of no complaints, by rules that are not verified': publish({ ...contentOf(cut()), statement: later }),
  }
  const allows = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(new URL('edition.schema.json', import.meta.url), 'utf8')))

  test.each(Object.entries(editions))('allows an edition that is %s', (_what, edition) => {
    allows(edition)
    expect(allows.errors).toBeNull()
  })

  test('leaves nothing out and nothing in', () => {
    const allowed: string[] = []
    for (const [what, edition] of Object.entries(editions)) {
      for (const path of objectsOf(edition)) {
        const more = structuredClone(edition)
        ;(at(more, path) as Record<string, unknown>)['more'] = 1
        if (allows(more)) allowed.push(`${what} ${path.join('.')}.more`)
        for (const name of Object.keys(at(edition, path) as object)) {
          const less = structuredClone(edition)
          delete (at(less, path) as Record<string, unknown>)[name]
          if (allows(less)) allowed.push(`${what} ${[...path, name].join('.')}`)
        }
      }
    }
    expect(allowed).toEqual([])
  })
})

describe('verification', () => {
  const edition = publish(contentOf(cut()))

  test('finds any change of any value', () => {
    const survivors: string[] = []
    for (const path of leavesOf(edition)) {
      const altered = structuredClone(edition)
      change(altered, path)
      if (verifyEdition(Buffer.from(JSON.stringify(sorted(altered))), declared).valid) survivors.push(path.join('.'))
    }
    expect(survivors).toEqual([])
  })

  test('finds anything that nobody signed', () => {
    const survivors: string[] = []
    for (const path of objectsOf(edition)) {
      const more = structuredClone(edition)
      ;(at(more, path) as Record<string, unknown>)['zzz'] = '另见附件'
      if (verifyEdition(Buffer.from(JSON.stringify(sorted(more))), declared).valid) survivors.push(path.join('.'))
    }
    expect(survivors).toEqual([])
    const written = structuredClone(edition)
    change(written, ['recomputed', 0, 'signature'], `${edition.recomputed[0]!.signature}\n<b>`)
    expect(verifyEdition(Buffer.from(JSON.stringify(sorted(written))), declared).problems.map(({ fault }) => fault)).toEqual(['signature-wrong'])
  })

  test('finds whatever is left out, or of another kind, and never fails itself', () => {
    const survivors: string[] = []
    // Deeper in the statement nothing but its digest is looked at.
    for (const path of objectsOf(edition).filter(([first, second]) => first !== 'statement' || second === undefined || second === 'regions')) {
      for (const name of Object.keys(at(edition, path) as object)) {
        for (const value of [undefined, null, 7, 'x', [], {}]) {
          if (JSON.stringify(value) === JSON.stringify(at(edition, [...path, name]))) continue
          const other = structuredClone(edition)
          ;(at(other, path) as Record<string, unknown>)[name] = value
          if (verifyEdition(Buffer.from(JSON.stringify(sorted(other))), declared).valid) survivors.push(`${[...path, name].join('.')} ${JSON.stringify(value)}`)
        }
      }
    }
    expect(survivors).toEqual([])
  })

  test('finds a signature of another region, of an unknown key, and one of a key that was not valid then', () => {
    const content = contentOf(cut())
    const [, second, ...rest] = signed(content)
    const digests = digestsOf(content)
    const forged = (region: Region, key: SigningKey, at = AT): Recomputed => ({ region, at, kid: key.kid, signature: sign(key, recomputedBytes(content.statement, digests, { region, at })).toString('base64') })
    const faults = (one: Recomputed) => verifyEdition(editionBytes(assembleEdition(content, [one, second!, ...rest], approvedBy(content)).edition), declared).problems.map(({ fault, region, text }) => [fault, region, text[1]])
    expect(faults(forged('sh', keys.js))).toEqual([['signature-wrong', 'sh', 'the signature of Shanghai made with a key that the region has not declared']])
    expect(faults({ ...forged('sh', keys.sh), signature: second!.signature })).toEqual([['signature-wrong', 'sh', 'the signature of Shanghai does not fit the content']])
    expect(faults(forged('sh', keys.sh, '2019-01-01T00:00:00+08:00'))).toEqual([['signature-wrong', 'sh', 'the signature of Shanghai made when the key was not valid']])
  })

  test('finds a full edition that lost a region with its signatures', () => {
    const statement = { ...edition.statement, regions: { ...edition.statement.regions, zj: { standing: 'missing' as const, sources: [] } } }
    const cropped = publish({ ...contentOf(cut()), statement })
    expect(verifyEdition(editionBytes(cropped), declared).problems.map(({ fault }) => fault)).toEqual(['too-few-regions'])
  })

  test('cannot be had without the keys that a region declares', () => {
    const { ah, ...three } = declared
    expect(ah).toBeDefined()
    expect(verifyEdition(editionBytes(edition), three).problems.map(({ fault, region }) => [fault, region])).toEqual([['no-keys', 'ah'], ['no-keys', 'ah']])
  })

  test.each<[string, (bytes: Buffer) => Buffer, string]>([
    ['is damaged', (bytes) => bytes.subarray(0, 100), 'unreadable'],
    ['is not UTF-8', () => Buffer.from([0xff, 0xfe]), 'unreadable'],
    ['is something else', () => Buffer.from('{"format":"x"}'), 'other-format'],
    ['is null', () => Buffer.from('null'), 'other-format'],
    ['is of a later format', (bytes) => Buffer.from(bytes.toString().replace('"formatVersion":1', '"formatVersion":2')), 'newer-format'],
    ['lacks its parts', (bytes) => Buffer.from(JSON.stringify({ format: JSON.parse(bytes.toString()).format, formatVersion: 1 })), 'malformed'],
    ['was written anew', (bytes) => Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), null, 2)), 'not-canonical'],
    ['holds a name twice', (bytes) => Buffer.from(bytes.toString().replace('"demo":false', '"demo":true,"demo":false')), 'not-canonical'],
  ])('a file that %s', (_what, alter, fault) => {
    const { valid, problems } = verifyEdition(alter(editionBytes(edition)), declared)
    expect([valid, problems.at(-1)?.fault]).toEqual([false, fault])
  })

  test('a line end at the end is no change', () => {
    expect(verifyEdition(Buffer.concat([editionBytes(edition), Buffer.from('\n')]), declared).valid).toBe(true)
  })
})

function listOf(cells: Cells, present: readonly Region[] = REGIONS, minimum = LEAST_ACCEPTED): TraderList {
  return traderList(traderRows(cells, spansOf(plan, calendar).traders, minimum, present), plan, minimum)
}

function contentOf(state: CutState): Content {
  const statement = statementOf(state, calendar)
  return { statement, annex: annexOf(listOf(state.cells, regionsIn(statement)), SALTS), tips: [{ zh: '节后退换货请保留凭证。', en: null }] }
}

function publish(content: Content): Edition {
  return assembleEdition(content, signed(content), approvedBy(content)).edition
}

function signed(content: Content): Recomputed[] {
  const digests = digestsOf(content)
  return regionsIn(content.statement).map((region) => ({ region, at: AT, kid: keys[region].kid, signature: sign(keys[region], recomputedBytes(content.statement, digests, { region, at: AT })).toString('base64') }))
}

function approvedBy(content: Content): Approved[] {
  const digests = digestsOf(content)
  return regionsIn(content.statement).map((region) => {
    const head = { region, at: AT, approval: `${region}-1` }
    return { ...head, kid: keys[region].kid, signature: sign(keys[region], approvedBytes(content.statement, digests, head)).toString('base64') }
  })
}

function keysOf({ kid, publicKey }: SigningKey): PublicKeys {
  return parsePublicKeys(`keys:\n  - kid: ${kid}\n    from: 2026-01-01T00:00:00+08:00\n    to: null\n    publicKey: |\n${publicKey.trimEnd().split('\n').map((line) => `      ${line}`).join('\n')}\n`, 'keys.yaml')
}

/** Three complaints a region in the window, one settled, one open, one pending; a firm with twelve accepted ones in two regions. */
function cellsOfAll(): Cells {
  return {
    days: REGIONS.flatMap((region) => [
      { region, day: '2026-02-16', state: 'settled', outcome: 'settled', online: true, n: 1, recoveredFen: 100n },
      { region, day: '2026-02-16', state: 'mediating', outcome: null, online: null, n: 1, recoveredFen: 0n },
      { region, day: '2026-02-23', state: 'received', outcome: null, online: false, n: 1, recoveredFen: 0n },
    ]),
    classes: REGIONS.flatMap((region) => [
      { region, day: '2026-02-16', dimension: 'object' as const, kind: 'goods', code: 'G01', received: 2, counted: 2 },
      { region, day: '2026-02-16', dimension: 'issue' as const, kind: null, code: null, received: 2, counted: 2 },
    ]),
    tallies: [{ region: 'js', day: '2026-02-17', tallyType: 'report', n: 4 }],
    traders: [
      { region: 'sh', day: '2026-02-16', uscc: FIRM, name: '甲公司', counted: 8, accepted: 7, settled: 3, terminated: 2 },
      { region: 'zj', day: '2025-02-25', uscc: FIRM, name: '甲有限公司', counted: 5, accepted: 5, settled: 2, terminated: 1 },
      { region: 'zj', day: '2025-02-24', uscc: FIRM, name: '甲有限公司', counted: 9, accepted: 9, settled: 9, terminated: 0 },
      { region: 'ah', day: '2026-02-16', uscc: OTHER, name: '乙公司', counted: 9, accepted: 9, settled: 9, terminated: 0 },
    ],
  }
}

type Path = readonly (string | number)[]

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, one]) => leavesOf(one, [...path, Array.isArray(value) ? Number(name) : name]))
}

function objectsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.entries(value).flatMap(([name, one]) => objectsOf(one, [...path, Array.isArray(value) ? Number(name) : name]))
  return Array.isArray(value) ? inside : [path, ...inside]
}

function at(root: unknown, path: Path): unknown {
  return path.reduce((value, name) => (value as Record<string | number, unknown>)[name], root)
}

function change(root: unknown, path: Path, to?: string): void {
  const parent = at(root, path.slice(0, -1)) as Record<string | number, unknown>
  const name = path.at(-1)!
  const value = parent[name]
  parent[name] = to ?? (typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : typeof value === 'string' ? (value.startsWith('A') ? `B${value.slice(1)}` : `A${value.slice(1)}`) : 'x')
}

/** As the file is written, so that the order of names is not what is found. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted((value as Record<string, unknown>)[name])]))
}
