import type { Ratio } from '../figures/model.ts'

/** A cell as it is shown. None is empty: where there is no number it says why. */
export interface Shown {
  readonly text: string
  /** The number itself, where there is one that a spreadsheet can count with. */
  readonly value?: number
  /** The text is the reason why there is no number. */
  readonly absent?: true
}

/** Why there is no number, in as few words as a cell has. */
export const ABSENT = {
  missing: '地区缺失', withheld: '暂不公布', none: '无办结', incomparable: '无可比数据', unstated: '均未标明', struck: '已撤下', wasZero: '上年为零', retracted: '已撤回', notThere: '无',
} as const

/** What the words of `ABSENT` mean, for the notes under a table. */
export const ABSENT_NOTES: Readonly<Record<keyof typeof ABSENT, string>> = {
  missing: '地区缺失：该地区未参加本次截数，其数字缺失，不以零计。',
  withheld: '暂不公布：该地区窗口内受理的投诉半数以上仍在办理，比率和金额尚无意义。',
  none: '无办结：尚无一件投诉调解成功或终止调解，不计算成功率。',
  incomparable: '无可比数据：枢纽没有上年同期的数据，不以零计，不作比较。',
  unstated: '均未标明：没有一件投诉标明是否网络购买，不计算占比。',
  struck: '已撤下：公示期满、撤回或更正后不再列名；签名仍然有效。',
  wasZero: '上年为零：上年同期为零，不计算增幅。',
  retracted: '已撤回：本公示的数字已全部撤回。',
  notThere: '无：更正前或更正后没有这个数字（地区缺失、暂不公布或该类别未出现）。',
}

export function absent(why: keyof typeof ABSENT): Shown {
  return { text: ABSENT[why], absent: true }
}

export function text(value: string): Shown {
  return { text: plain(value) }
}

/** Without what neither HTML nor XML 1.0 can hold. */
export function plain(value: string): string {
  return value.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
}

export function count(value: number): Shown {
  return { text: grouped(String(value)), value }
}

/** A share in percent with one place, rounded half up; exact before it is rounded. */
export function percent({ numerator, denominator }: Ratio): string {
  return `${tenths(BigInt(numerator) * 1000n, BigInt(denominator))}%`
}

/** Growth in percent with one place and its sign. @param earlier not 0 */
export function growth(current: number, earlier: number): string {
  const difference = BigInt(current) - BigInt(earlier)
  const size = tenths((difference < 0n ? -difference : difference) * 1000n, BigInt(earlier))
  return `${difference === 0n || size === '0.0' ? '' : difference > 0n ? '+' : '−'}${size}%`
}

/** Fen in 万元 with two places, rounded half up. */
export function inWan(fen: string): string {
  const hundredths = (BigInt(fen) + 5_000n) / 10_000n
  return `${grouped(String(hundredths / 100n))}.${String(hundredths % 100n).padStart(2, '0')}`
}

/** Fen in yuan, exact. */
export function inYuan(fen: string): string {
  return `${grouped(String(BigInt(fen) / 100n))}.${String(BigInt(fen) % 100n).padStart(2, '0')}`
}

/** `2026-02-15` as 2026年2月15日. */
export function date(day: string): string {
  const [year, month, of] = day.split('-').map(Number)
  return `${year}年${month}月${of}日`
}

/** `2026-02-25T00:00:05+08:00` as 2026年2月25日 00:00:05. */
export function time(instant: string): string {
  return `${date(instant.slice(0, 10))} ${instant.slice(11, 19)}`
}

function tenths(thousandfold: bigint, of: bigint): string {
  const rounded = (thousandfold * 2n + of) / (of * 2n)
  return `${grouped(String(rounded / 10n))}.${rounded % 10n}`
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}
