export interface Sentence { readonly row: number, readonly cells: Readonly<Record<string, string>>, readonly preamble: readonly string[] }
/** todo */
export async function* readSentences(source: AsyncIterable<Uint8Array>, _encoding?: string): AsyncGenerator<Sentence> { for await (const _ of source) return }
