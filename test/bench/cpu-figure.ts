import { figure, type Figure } from './bench.ts'
import type { CpuUse } from './machine.ts'

/** `<bench>.cpu`: events per processor second of everything together, which holds on a busy machine where wall time does not. */
export function cpuFigure(bench: string, rounds: readonly { readonly cpu: CpuUse | undefined }[], judged: Pick<Figure, 'services' | 'settings'> & Partial<Pick<Figure, 'peer'>>): Figure[] {
  const used = rounds.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]))
  if (used.length === 0) return []
  const settings = { ...judged.settings, cpuSeconds: used.map(({ seconds }) => seconds) }
  return [figure({ bench: `${bench}.cpu`, unit: 'events per CPU second of everything', better: 'higher', ...judged, settings }, used.map(({ perCpuSecond }) => perCpuSecond))]
}

export function describeCpu(cpu: CpuUse | undefined): string {
  if (cpu === undefined) return ''
  const parts = Object.entries(cpu.seconds).filter(([, seconds]) => seconds >= 0.1).map(([part, seconds]) => `${part} ${seconds.toFixed(1)}`)
  return `${Math.round(cpu.perCpuSecond)} per CPU second (${parts.join(', ')} s)`
}
