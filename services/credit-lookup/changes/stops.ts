import type { RecordItem } from '@hub/schemas/log-item'
import { TABLES } from '@hub/schemas/tables'

type Name = (typeof TABLES)['credit-blacklist']['columns'][number]['name']

const AT = new Map<string, number>(TABLES['credit-blacklist'].columns.map(({ name }, at) => [name, at]))

/**
 * Whether a version says that its record is to be used no more: it ended, is not or no longer public, is shielded, or a date in it has passed.
 * @param today `YYYY-MM-DD` in Asia/Shanghai
 */
export function stops({ ended, kind, columns }: RecordItem, today: string): boolean {
  if (ended || kind === 'withdrawal') return true
  const day = (name: Name): string | undefined => (columns[AT.get(name)!] ?? undefined) as string | undefined
  if (columns[AT.get('publication')!] !== 'published') return true
  const [from, until] = [day('shielded_from'), day('shielded_until')]
  const shielded = from !== undefined && from <= today && !(until !== undefined && until < today)
  return shielded || isBefore(day('until'), today) || isBefore(day('public_until'), today) || (day('removed_on') ?? '9999') <= today
}

function isBefore(day: string | undefined, today: string): boolean {
  return day !== undefined && day < today
}
