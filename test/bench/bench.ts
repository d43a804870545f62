import type { Stack } from '@hub/local/stack'

/** One measured figure with what it is judged by. */
export interface Figure {
  readonly bench: string
  /** What was run beside the hub, where the figure is not the hub's. */
  readonly peer?: string
  /** The median of the rounds. */
  readonly value: number
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly floor: number | null
  readonly aim: number | null
  readonly rounds: readonly number[]
  /** Largest round minus smallest. */
  readonly spread: number
  /** Everything of ours that ran during the measurement, the load included. */
  readonly services: readonly string[]
  readonly settings: Readonly<Record<string, unknown>>
}

export interface BenchContext {
  /** Shorter runs and fewer rounds: good for finding what is broken, not for a claim. */
  readonly quick: boolean
  readonly seed: number
  /** Folder for CPU profiles of the hub's processes. */
  readonly profileDir: string | undefined
  readonly signal: AbortSignal
  /** The private stack of this run, started when the first bench asks for it. */
  stack(): Promise<Stack>
  say(text: string): void
}

export interface Bench {
  readonly name: string
  /** What is measured, in one line. */
  readonly what: string
  run(context: BenchContext): Promise<Figure[]>
}

/** A check inside a bench failed, or it could not run as it must: whatever was measured counts for nothing. */
export class VoidRun extends Error {
  override readonly name = 'VoidRun'
}

/** @throws VoidRun */
export function mustEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new VoidRun(`${what}: ${String(found)} instead of ${String(expected)}`)
}

type Judged = Pick<Figure, 'bench' | 'unit' | 'better' | 'services'> & Partial<Pick<Figure, 'peer' | 'floor' | 'aim' | 'settings'>>

/** A figure from its rounds. */
export function figure(judged: Judged, rounds: readonly number[]): Figure {
  const rounded = rounds.map(significant)
  return { floor: null, aim: null, settings: {}, ...judged, value: median(rounded), rounds: rounded, spread: significant(Math.max(...rounded) - Math.min(...rounded)) }
}

/** Whether the floor is held; undefined where there is none. */
export function holds({ value, floor, better }: Figure): boolean | undefined {
  if (floor === null) return undefined
  return better === 'higher' ? value >= floor : value <= floor
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : significant((sorted[middle - 1]! + sorted[middle]!) / 2)
}

function significant(value: number): number {
  return Number(value.toPrecision(4))
}
