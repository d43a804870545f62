/** What a file may be at most; beyond it reading stops with a clear answer. */
export const BOUNDS = {
  /** A text file is streamed, so only its length is bounded. */
  textBytes: 2 * 1024 ** 3,
  /** A workbook is held in memory while it is read. */
  workbookBytes: 64 * 1024 ** 2,
  /** Of all parts of a workbook together. */
  unpackedBytes: 1024 ** 3,
  /** Unpacked to packed of one part; sheets of real workbooks stay below 60. */
  expansion: 200,
  rows: 5_000_000,
  columns: 200,
  cellLength: 10_000,
  lineBytes: 1024 ** 2,
  /** Rows above the header of a table. */
  preambleRows: 20,
  /** By which the encoding is told. */
  headBytes: 256 * 1024,
} as const
