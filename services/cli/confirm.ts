import { createInterface } from 'node:readline'
import type { Cli } from './cli.ts'
import type { Output } from './output.ts'

/** Asks on a terminal; without one the answer is no. */
export async function confirmed(cli: Cli, out: Output, zh: string, en: string): Promise<boolean> {
  if (out.json || (cli.stdin as { isTTY?: boolean }).isTTY !== true) return false
  out.note(`${zh}输入 y 确认`, `${en} y = yes`)
  const lines = createInterface({ input: cli.stdin })
  try {
    for await (const line of lines) return /^(y|yes|是)$/i.test(line.trim())
    return false
  } finally {
    lines.close()
  }
}
