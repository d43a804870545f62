import { GB_CODES, type Region } from '@hub/schemas/streams'

/** Complaints in JSON form, one record each; the same seed gives the same ones. */
export function complaints(count: number, seed: number, region: Region): Record<string, unknown>[] {
  const random = mulberry32(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const prefix = GB_CODES[region]
  return Array.from({ length: count }, (_, n) => {
    const day = `2026-${pick(['01', '02', '03', '04', '05', '06', '07', '08', '09'])}-${String(1 + Math.floor(random() * 28)).padStart(2, '0')}`
    const division = `${prefix}01${String(1 + Math.floor(random() * 15)).padStart(2, '0')}`
    return {
      recordId: `${region}-12315/${seed}-${n}`,
      kind: 'original',
      version: 1,
      authority: { rawName: `${pick(['城东', '城西', '滨江', '新区'])}市场监督管理局` },
      occurredOn: day,
      recordedAt: `${day}T10:12:30+08:00`,
      state: 'accepted',
      registeredOn: day,
      acceptedOn: day,
      handlingDivision: division,
      respondent: { name: `${pick(['云栖', '江畔', '太湖', '皖南'])}${n % 5000}商贸有限公司`, division, region },
      object: { kind: pick(['goods', 'services']), local: '0101' },
      disputedFen: Math.floor(random() * 1_000_000),
      online: random() < 0.5,
      publication: 'pending',
    }
  })
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
