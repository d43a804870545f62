import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { HandedOver, Import, ImportReport } from './answers.ts'
import { queryOf, type Transport } from './transport.ts'

export interface ImportOptions {
  /** Name of the file, for the report. */
  readonly file?: string
  /** What kind of file it is; without it the gateway guesses, and publishes only after `confirmImport`. */
  readonly shape?: string | undefined
  readonly encoding?: 'utf-8' | 'gb18030' | undefined
  /** Of a CSV; a comma where it is left out. */
  readonly delimiter?: 'comma' | 'semicolon' | 'tab' | undefined
  /** Only rehearse: the same verdicts, nothing is published. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
}

/** A file's bytes. */
export type Content = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A file is read and rehearsed whole before the first byte of its workbook comes. */
const MARKING_MS = 600_000
const FIRST_LOOK_MS = 50
const LATER_LOOK_MS = 500

export function importing(transport: Transport): {
  /**
   * Hands a file over; it is durable when this resolves, and worked on then. Handing it over again is safe: what was taken counts as duplicate.
   * @param content a function opens it anew for each attempt: with one a gateway that is busy is asked again
   */
  importFile(source: string, content: Content | (() => Content), options?: ImportOptions): Promise<Import>
  /** A workbook (XLSX) of a file's rows with their verdicts, offending cells marked. It is a rehearsal: nothing is published, and the gateway keeps neither. */
  markFile(source: string, content: Content, options?: Omit<ImportOptions, 'dryRun'>): Promise<Readable>
  /** An import with what is told of its rows, a page at a time: `after` = `next` of the page before. */
  readImport(id: string, page?: { readonly after?: string | undefined; readonly limit?: number }): Promise<ImportReport>
  listImports(selection?: { readonly source?: string; readonly after?: string; readonly limit?: number }): Promise<{ readonly imports: readonly Import[]; readonly next: string | null }>
  /** Looks until an import has ended or waits for a person. */
  waitForImport(id: string, options?: { readonly onProgress?: (report: ImportReport) => void; readonly signal?: AbortSignal }): Promise<ImportReport>
  /** Publishes what was recognised and rehearsed. */
  confirmImport(id: string): Promise<Import>
  /** Gives up an import that waits for confirmation; its file is deleted. */
  cancelImport(id: string): Promise<Import>
  /** Voids every record that an import created and that nothing has changed since. */
  revertImport(id: string): Promise<Import>
  /** Tells that a source has delivered: all its events have got their verdicts. The same id again counts once; a finished import tells it by itself. `baseline`: everything that the source has was in it. */
  handOver(source: string, handOver: { readonly handOverId: string; readonly rows?: number; readonly baseline?: boolean }): Promise<HandedOver>
} {
  const act = (id: string, action: string): Promise<Import> => transport.json<Import>(`/v1/imports/${encodeURIComponent(id)}/${action}`, { method: 'POST' })
  const readImport = (id: string, { after, limit }: { after?: string | undefined; limit?: number } = {}): Promise<ImportReport> =>
    transport.json<ImportReport>(`/v1/imports/${encodeURIComponent(id)}?${queryOf({ after, limit })}`)
  return {
    async importFile(source, content, { file, shape, encoding, delimiter, dryRun, signal } = {}) {
      const send = async (bytes: Content): Promise<Import> => {
        const body = bytes instanceof Readable ? bytes : Readable.from(bytes, { objectMode: false })
        const response = await transport.open(`/v1/imports/${encodeURIComponent(source)}?${queryOf({ file, shape, encoding, delimiter, dryRun })}`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body, signal })
        return transport.read<Import>(response)
      }
      return typeof content === 'function' ? transport.again(() => send(content()), signal) : send(content)
    },
    markFile(source, content, { file, shape, encoding, delimiter, signal } = {}) {
      const body = content instanceof Readable ? content : Readable.from(content, { objectMode: false })
      return transport.open(`/v1/imports/${encodeURIComponent(source)}/marked?${queryOf({ file, shape, encoding, delimiter })}`, { method: 'POST', headers: { accept: '*/*', 'content-type': 'application/octet-stream' }, body, signal, silenceMs: MARKING_MS })
    },
    readImport,
    listImports: (selection = {}) => transport.json(`/v1/imports?${queryOf({ ...selection })}`),
    async waitForImport(id, { onProgress, signal } = {}) {
      for (let look = FIRST_LOOK_MS; ; look = Math.min(look * 1.5, LATER_LOOK_MS)) {
        const report = await readImport(id)
        onProgress?.(report)
        if (report.state !== 'received' && report.state !== 'running' && report.state !== 'reverting') return report
        await pause(look, undefined, { ...(signal && { signal }) })
      }
    },
    confirmImport: (id) => act(id, 'confirm'),
    cancelImport: (id) => act(id, 'cancel'),
    revertImport: (id) => act(id, 'revert'),
    handOver: (source, handOver) => transport.json<HandedOver>(`/v1/sources/${encodeURIComponent(source)}/hand-over`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(handOver) }),
  }
}
