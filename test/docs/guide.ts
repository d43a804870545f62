/** A fenced block of a guide: what is run, or what it then says. */
export interface Block {
  readonly language: string
  readonly text: string
  /** Line of the guide, from 1. */
  readonly line: number
}

/** All fenced blocks of a page in Markdown, in their order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ 1: language, 2: text, index }) => ({ language: language!, text: text!, line: markdown.slice(0, index).split('\n').length }))
}

/**
 * Where an answer differs from what a guide shows; empty = nowhere. What is shown must be there; members that are not shown may be, elements of a list
 * may not. `…` stands for whatever it is this time, within a text for any part of it.
 */
export function differences(shown: unknown, seen: unknown, path = ''): string[] {
  if (shown === '…') return seen === undefined ? [`${path} is missing`] : []
  if (typeof shown === 'string' && typeof seen === 'string' && shown.includes('…')) {
    const pattern = shown.split('…').map((part) => RegExp.escape(part)).join('.*')
    return new RegExp(`^${pattern}$`, 's').test(seen) ? [] : [`${path} is ${JSON.stringify(seen)}`]
  }
  if (typeof shown !== 'object' || shown === null) return Object.is(shown, seen) ? [] : [`${path} is ${JSON.stringify(seen)}, not ${JSON.stringify(shown)}`]
  if (typeof seen !== 'object' || seen === null) return [`${path} is ${JSON.stringify(seen)}`]
  if (Array.isArray(shown)) {
    if (!Array.isArray(seen) || seen.length !== shown.length) return [`${path} has ${Array.isArray(seen) ? seen.length : 'no'} elements, not ${shown.length}`]
    return shown.flatMap((one, i) => differences(one, (seen as unknown[])[i], `${path}[${i}]`))
  }
  return Object.entries(shown).flatMap(([name, value]) => differences(value, (seen as Record<string, unknown>)[name], `${path}.${name}`))
}
