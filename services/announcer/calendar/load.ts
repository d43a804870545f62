import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { calendarOf, type Calendar } from './calendar.ts'
import { readYearFile, YearFileRefused, type YearFile } from './year-file.ts'

export const YEAR_FILES = fileURLToPath(new URL('years/', import.meta.url))

/**
 * The year files of a folder, in order.
 * @throws YearFileRefused for a file that is no JSON, has a hole, or leaves a year out
 */
export function readYearFiles(folder: string = YEAR_FILES): YearFile[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => readYearFile(name, parse(name, readFileSync(join(folder, name), 'utf8'))))
  calendarOf(files)
  return files
}

/** All that is known today. @throws YearFileRefused */
export function loadCalendar(folder?: string): Calendar {
  return calendarOf(readYearFiles(folder))
}

function parse(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new YearFileRefused(name, ['is no JSON'])
  }
}
