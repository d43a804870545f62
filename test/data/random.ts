/** Pseudo-random numbers in [0, 1) that a seed fixes (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export type Weights<T> = readonly (readonly [value: T, weight: number])[]

/** One of the values, as often as its weight says. */
export function weighted<T>(random: () => number, weights: Weights<T>): T {
  let left = random() * weights.reduce((total, [, weight]) => total + weight, 0)
  for (const [value, weight] of weights) if ((left -= weight) < 0) return value
  return weights.at(-1)![0]
}

/** A whole number from `from` to `to`, both included. */
export function between(random: () => number, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1))
}
