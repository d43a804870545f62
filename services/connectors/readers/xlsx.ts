import type { RawRow } from './table.ts'
export function isWorkbook(head: Uint8Array): boolean { return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4 }
/** todo */
export async function* readWorkbook(source: AsyncIterable<Uint8Array>): AsyncGenerator<RawRow> { for await (const _ of source) return }
