import chineseDays from 'chinese-days'
import { HolidayUtil, Lunar } from 'lunar-typescript'
import { LegalHoliday, LunarDay, SolarTerm } from 'tyme4ts'
import { describe, expect, test } from 'vitest'
import { addWorkdays, calendarOf, dayKind, offRun, requireCovered, versionsTouched, whatMoved, workdaysBetween, YearUncovered } from './calendar.ts'
import { daysFrom, isWeekend } from './day.ts'
import { loadCalendar, readYearFiles } from './load.ts'
import { anchorsOf, statutoryHolidays } from './statutory.ts'
import { readYearFile, YearFileRefused, type YearFile } from './year-file.ts'

const files = readYearFiles()
const calendar = loadCalendar()
const FIRST = '2019-01-01'
const LAST = '2026-11-30'

describe('working days', () => {
  test.each([
    ['2026-02-12', 7, '2026-02-28'],
    ['2026-02-13', 7, '2026-03-02'],
    ['2026-09-24', 5, '2026-10-09'],
    ['2026-09-24', 7, '2026-10-12'],
    ['2026-09-28', 10, '2026-10-16'],
    ['2026-09-30', 3, '2026-10-10'],
    ['2026-04-15', 7, '2026-04-24'],
    ['2026-04-15', 20, '2026-05-15'],
    ['2026-04-15', 45, '2026-06-22'],
  ])('%s + %i = %s', (from, days, to) => {
    expect(addWorkdays(calendar, from, days)).toEqual({ day: to, provisional: false, calendar: ['2026.1'] })
    expect(workdaysBetween(calendar, from, to)).toBe(days)
  })

  test('a term that reaches a year without a notice is provisional: by law and weekends alone', () => {
    expect(addWorkdays(calendar, '2026-12-21', 20)).toEqual({ day: '2027-01-19', provisional: true, calendar: ['2026.1'] })
  })

  test('a December is settled by the notice of the year after too', () => {
    expect(dayKind(calendar, '2018-12-29')).toEqual({ workday: true, provisional: true })
    expect(dayKind(calendar, '2022-12-31')).toEqual({ workday: false, provisional: false })
    expect(dayKind(calendar, '2026-12-15')).toEqual({ workday: true, provisional: true })
    expect(versionsTouched(calendar, '2024-12-30', '2024-12-31')).toEqual(['2024.1', '2025.1'])
  })

  test('a term of no days ends where it starts, and a term is a whole number', () => {
    expect(addWorkdays(calendar, '2026-02-15', 0).day).toBe('2026-02-15')
    expect(() => addWorkdays(calendar, '2026-02-15', 1.5)).toThrow(RangeError)
    expect(() => addWorkdays(calendar, '2026-02-30', 1)).toThrow(RangeError)
  })

  test('every day of the years with a notice is what three packages say', () => {
    const differing = daysFrom(FIRST, LAST).filter((day) => {
      const { workday } = dayKind(calendar, day)
      const [year, month, date] = day.split('-').map(Number) as [number, number, number]
      const legal = LegalHoliday.fromYmd(year, month, date)
      const holiday = HolidayUtil.getHoliday(day)
      const oracles = [
        chineseDays.isWorkday(day),
        legal === null ? !isWeekend(day) : legal.isWork(),
        holiday === null ? !isWeekend(day) : holiday.isWork(),
      ]
      return oracles.some((oracle) => oracle !== workday)
    })
    expect(differing).toEqual([])
  })

  test.each([['2024-01-25', 7], ['2020-01-22', 10], ['2023-09-27', 5], ['2026-09-24', 20]])('%s + %i is what a package finds', (from, days) => {
    expect(addWorkdays(calendar, from, days).day).toBe(chineseDays.findWorkday(days, from))
  })

  test('what a package answers for 2027 without data is not answered here', () => {
    expect(chineseDays.isWorkday('2027-02-08')).toBe(true)
    expect(dayKind(calendar, '2027-02-08')).toEqual({ workday: false, provisional: true })
    expect(() => requireCovered(calendar, 2027)).toThrow(YearUncovered)
    expect(() => requireCovered(calendar, 2018)).toThrow(YearUncovered)
  })
})

describe('holidays', () => {
  test.each([
    ['2026-01-01', '2026-01-01', '2026-01-03'],
    ['2026-02-17', '2026-02-15', '2026-02-23'],
    ['2026-04-05', '2026-04-04', '2026-04-06'],
    ['2026-05-01', '2026-05-01', '2026-05-05'],
    ['2026-06-19', '2026-06-19', '2026-06-21'],
    ['2026-09-25', '2026-09-25', '2026-09-27'],
    ['2026-10-01', '2026-10-01', '2026-10-07'],
    ['2020-01-25', '2020-01-24', '2020-02-02'],
    ['2019-01-01', '2018-12-30', '2019-01-01'],
    ['2022-05-01', '2022-04-30', '2022-05-04'],
  ])('the days off around %s', (anchor, from, to) => {
    expect(offRun(calendar, anchor)).toMatchObject({ from, to })
  })

  test.each([['2020-10-01', '2020-10-01', '2020-10-08'], ['2025-10-06', '2025-10-01', '2025-10-08']])('National Day and Mid-Autumn are one run: %s', (anchor, from, to) => {
    expect(offRun(calendar, anchor)).toMatchObject({ from, to, provisional: false })
    expect(offRun(calendar, from)).toMatchObject({ from, to })
  })

  test('in 2028 Mid-Autumn falls into National Day: one run, known when the notice is', () => {
    expect(anchorsOf(2028)!.midAutumn).toBe('2028-10-03')
    expect(offRun(calendar, '2028-10-01')).toMatchObject({ provisional: true, calendar: [] })
    const later = calendarOf([...files, asIfNoticed(2027), asIfNoticed(2028)])
    // The Saturday before adjoins.
    for (const anchor of ['2028-10-01', '2028-10-03']) expect(offRun(later, anchor)).toMatchObject({ from: '2028-09-30', to: '2028-10-08', provisional: false })
  })

  test('a day that is worked has no days off around it', () => {
    expect(offRun(calendar, '2026-02-14')).toBeUndefined()
  })

  test('lunar days are what two packages compute, and what the reference states', () => {
    for (let year = 2019; year <= 2030; year += 1) {
      const day = (solar: { getYear(): number, getMonth(): number, getDay(): number }) => [solar.getYear(), solar.getMonth(), solar.getDay()].map((n) => String(n).padStart(2, '0')).join('-')
      expect(anchorsOf(year), String(year)).toEqual({
        springFestival: day(LunarDay.fromYmd(year, 1, 1).getSolarDay()),
        qingming: day(SolarTerm.fromName(year, '清明').getJulianDay().getSolarDay()),
        dragonBoat: day(LunarDay.fromYmd(year, 5, 5).getSolarDay()),
        midAutumn: day(LunarDay.fromYmd(year, 8, 15).getSolarDay()),
      })
      expect(anchorsOf(year)!.springFestival).toBe(Lunar.fromYmd(year, 1, 1).getSolar().toYmd())
    }
    expect([2025, 2026, 2027, 2028, 2029, 2030].map((year) => anchorsOf(year)!.springFestival)).toEqual(['2025-01-29', '2026-02-17', '2027-02-06', '2028-01-26', '2029-02-13', '2030-02-03'])
    expect([2025, 2026, 2027, 2028].map((year) => anchorsOf(year)!.midAutumn)).toEqual(['2025-10-06', '2026-09-25', '2027-09-15', '2028-10-03'])
  })

  test('the eve of the Spring Festival is off by law since 2025', () => {
    expect(statutoryHolidays(2027).get('春节')).toEqual(['2027-02-05', '2027-02-06', '2027-02-07', '2027-02-08'])
    expect(statutoryHolidays(2024).get('春节')![0]).toBe('2024-02-10')
    expect(statutoryHolidays(2035).get('春节')).toBeUndefined()
  })
})

describe('a notice that amends a running year', () => {
  test('2020: the extension moves days, and what was computed with them', () => {
    const before = calendarOf(files, '2020-01-25')
    const after = calendarOf(files, '2020-01-26')
    expect(before.years.get(2020)!.version).toBe(1)
    expect(whatMoved(before, after).map(({ day }) => day)).toEqual(['2020-01-31', '2020-02-01'])
    expect(offRun(before, '2020-01-25')).toMatchObject({ from: '2020-01-24', to: '2020-01-30', calendar: ['2020.1'] })
    expect(addWorkdays(before, '2020-01-22', 3)).toMatchObject({ day: '2020-02-01', calendar: ['2020.1'] })
    expect(addWorkdays(after, '2020-01-22', 3)).toMatchObject({ day: '2020-02-04', calendar: ['2020.2'] })
  })

  test('2019: May Day became four days', () => {
    expect(whatMoved(calendarOf(files, '2019-03-21'), calendarOf(files, '2019-03-22')).map(({ day }) => day)).toEqual(['2019-04-28', '2019-05-02', '2019-05-03', '2019-05-05'])
  })

  test('a new year that is noticed says what it changed of what the law alone gave', () => {
    const moved = whatMoved(calendarOf(files, '2025-11-03'), calendarOf(files, '2025-11-04'))
    expect(moved.map(({ day }) => day)).toContain('2026-02-14')
    expect(moved.find(({ day }) => day === '2026-02-14')).toEqual({ day: '2026-02-14', before: { workday: false, provisional: true }, after: { workday: true, provisional: false } })
  })

  test('every notice is named with number and date', () => {
    const papers = files.flatMap(({ versions }) => versions.at(-1)!.papers)
    expect(papers).toHaveLength(10)
    for (const { number, issuedOn } of papers) expect(number).toMatch(/^国办发明电〔20\d\d〕\d+号$/), expect(issuedOn).toMatch(/^20\d\d-\d\d-\d\d$/)
  })
})

describe('a year file with a hole is refused', () => {
  const whole = files.find(({ year }) => year === 2026)!
  const changed = (change: (file: Holes) => void): unknown => {
    const copy = structuredClone(whole) as Holes
    change(copy)
    return copy
  }

  test.each<[string, (file: Holes) => void, RegExp]>([
    ['a holiday is missing', ({ versions: [v] }) => { v!.holidays.splice(4, 1) }, /端午节 is not arranged/],
    ['a day of the law is missing', ({ versions: [v] }) => { v!.holidays[1]!.from = '2026-02-17'; v!.holidays[1]!.days = 7 }, /2026-02-16 is a day off by law/],
    ['the days do not add up', ({ versions: [v] }) => { v!.holidays[1]!.to = '2026-02-22' }, /has 8 days, not 9/],
    ['a make-up workday is missing', ({ versions: [v] }) => { v!.holidays[1]!.makeUpWorkdays.pop() }, /the law gives 13/],
    ['a weekday is made up', ({ versions: [v] }) => { v!.holidays[1]!.makeUpWorkdays[1] = '2026-02-27' }, /2026-02-27 is a weekday/],
    ['a day is off and worked', ({ versions: [v] }) => { v!.holidays[1]!.makeUpWorkdays[1] = '2026-02-22' }, /off and worked/],
    ['a day is of another year', ({ versions: [v] }) => { v!.holidays[0]!.makeUpWorkdays[0] = '2027-01-03' }, /not in this year/],
    ['no notice is named', ({ versions: [v] }) => { v!.papers = [] }, /no notice/],
    ['a date does not exist', ({ versions: [v] }) => { v!.holidays[0]!.to = '2026-02-30' }, /lacks names, days/],
    ['a version is left out', ({ versions: [v] }) => { v!.version = 2 }, /version 2 stands where 1 belongs/],
    ['the versions are missing', (file) => { file.versions = [] }, /versions are missing/],
    ['it is of another year', (file) => { file.year = 2025 }, /is of the year 2025/],
  ])('%s', (_what, change, problem) => {
    expect(() => readYearFile('2026.json', changed(change))).toThrow(problem)
    expect(() => readYearFile('2026.json', changed(change))).toThrow(YearFileRefused)
  })

  test('a year between two others is missing', () => {
    expect(() => calendarOf(files.filter(({ year }) => year !== 2022))).toThrow(/2022\.json/)
  })

  test('what is no file at all', () => {
    for (const json of [null, [], 'x', 7, {}]) expect(() => readYearFile('2026.json', json)).toThrow(YearFileRefused)
  })
})

interface Holes {
  year: number
  versions: { version: number, papers: unknown[], holidays: { names: string[], from: string, to: string, days: number, makeUpWorkdays: string[] }[] }[]
}

/** What the law gives a year, as if a notice arranged that alone; National Day to 8 October where Mid-Autumn falls into it. */
function asIfNoticed(year: number): YearFile {
  const law = statutoryHolidays(year)
  const merged = law.get('国庆节')!.includes(law.get('中秋节')![0]!)
  const holidays = [...law].map(([name, days]) => ({ names: [name], from: days[0]!, to: name === '国庆节' && merged ? `${year}-10-08` : days.at(-1)!, days: days.length, makeUpWorkdays: [] }))
  return { year, versions: [{ version: 1, papers: [{ number: '示例', title: '示例', issuedOn: `${year - 1}-11-01` }], holidays }] }
}
