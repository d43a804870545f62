import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { figure, type Bench, type BenchContext, type Figure } from './bench.ts'
import { runChild } from './child.ts'
import type { BuiltIndex, LoadedIndex, LookupIndexSettings } from './loads/lookup-index.ts'

const LOAD = './loads/lookup-index.ts'

/** The index of the credit lookup by itself: what an entry takes, how long a code takes, how long a start takes. No stack. */
export const lookupIndex: Bench = {
  name: 'lookup-index',
  what: '信用查询索引：每条内存、每次查询、冷启动 · index of the credit lookup: memory per entry, time per lookup, start from the snapshot',
  async run(context) {
    const sizes = context.quick ? [1] : [1, 10]
    const figures: Figure[] = []
    for (const millions of sizes) figures.push(...await measure(context, millions))
    return figures
  },
}

async function measure({ quick, seed, signal, say }: BenchContext, millions: number): Promise<Figure[]> {
  const rounds = quick ? 2 : 5
  const dir = await mkdtemp(join(tmpdir(), 'lookup-index-'))
  try {
    const settings: LookupIndexSettings = { what: 'build', dir, subjects: millions * 1_000_000, rounds, seed }
    const built = await runChild<BuiltIndex>(LOAD, settings, { signal })
    const loads: LoadedIndex[] = []
    for (let round = 0; round < rounds; round++) loads.push(await runChild<LoadedIndex>(LOAD, { ...settings, what: 'load' }, { signal }))
    say(`${millions} M  built in ${built.buildSeconds.toFixed(1)} s, longest insertion ${built.longestInsertMs.toFixed(1)} ms, snapshot written in ${built.saveSeconds.toFixed(2)} s`)
    const common = { better: 'lower' as const, services: ['credit-lookup (index alone)'], settings: { subjects: settings.subjects, records: settings.subjects, misses: 0.5 } }
    const whole = millions === 10
    return [
      figure({ bench: `lookup-index.memory.${millions}m`, unit: 'B per entry, both tables', floor: whole ? 32 : null, aim: whole ? 30 : null, ...common }, [built.bytesPerEntry]),
      figure({ bench: `lookup-index.lookup.${millions}m`, unit: 'ns', ...common }, built.lookupNanos),
      figure({ bench: `lookup-index.start.${millions}m`, unit: 's from the snapshot', floor: whole ? 5 : null, aim: whole ? 1.5 : null, ...common }, loads.map(({ loadSeconds }) => loadSeconds)),
      figure({ bench: `lookup-index.resident.${millions}m`, unit: 'MB resident after the start', floor: whole ? 600 : null, aim: whole ? 450 : null, ...common }, loads.map(({ residentBytes }) => residentBytes / 1e6)),
    ]
  } finally {
    await rm(dir, { recursive: true })
  }
}
