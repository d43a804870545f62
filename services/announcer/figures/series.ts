import type { DefinitionRef } from './model.ts'

/** One number of a series: when it is of, what it means, how much. */
export interface Point<T> {
  readonly at: string
  readonly definition: DefinitionRef
  readonly value: T
}

/** Numbers that do not mean the same thing are not put in one row. */
export class MixedDefinitions extends Error {
  readonly definitions: readonly DefinitionRef[]
  constructor(definitions: readonly DefinitionRef[]) {
    super(`口径不同，不能并列比较：${definitions.join('、')} / numbers of different definitions make no series: ${definitions.join(', ')}`)
    this.name = 'MixedDefinitions'
    this.definitions = definitions
  }
}

/** Puts numbers of one definition in order of time. @throws MixedDefinitions */
export function series<T>(points: readonly Point<T>[]): readonly Point<T>[] {
  const definitions = [...new Set(points.map(({ definition }) => definition))]
  if (definitions.length > 1) throw new MixedDefinitions(definitions.sort())
  return points.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}
