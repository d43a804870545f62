import { describe, expect, test } from 'vitest'
import { standingOf, standingText, type SourceAtCut } from './completeness.ts'

const WINDOW = { from: '2026-02-15', to: '2026-02-23' }
const ENDED = Date.parse('2026-02-24T00:00:00+08:00')
const source = (change: Partial<SourceAtCut> = {}): SourceAtCut => ({ source: '12315-zj', owner: '投诉处', baselineComplete: true, lastHandOver: ENDED, ...change })

describe('a region', () => {
  test('is complete when every source handed over after the window had ended', () => {
    const standing = standingOf({ cut: true, sources: [source(), source({ source: 'hotline' })] }, WINDOW)
    expect(standing).toEqual({ standing: 'complete', sources: [
      { source: '12315-zj', owner: '投诉处', complete: true, lastHandOver: '2026-02-24T00:00:00+08:00' }, { source: 'hotline', owner: '投诉处', complete: true, lastHandOver: '2026-02-24T00:00:00+08:00' },
    ] })
    expect(standingText('zj', standing)).toBeUndefined()
  })

  test('is incomplete when one did not, and names it', () => {
    const standing = standingOf({ cut: true, sources: [source(), source({ source: 'hotline', owner: '热线办', lastHandOver: ENDED - 1000 })] }, WINDOW)
    expect(standing.standing).toBe('incomplete')
    expect(standingText('zj', standing)).toEqual([
      '浙江数据不完整：hotline（热线办，最近完整报送于2026-02-23 23:59）在统计窗口结束后尚未完整报送。',
      'Zhejiang is incomplete: hotline (热线办, last complete hand-over 2026-02-23 23:59) did not hand over completely after the window had ended.',
    ])
  })

  test('is incomplete while a first load is on the way, whatever came after', () => {
    const standing = standingOf({ cut: true, sources: [source({ baselineComplete: false })] }, WINDOW)
    expect(standing).toMatchObject({ standing: 'incomplete', sources: [{ complete: false, lastHandOver: null }] })
    expect(standingText('zj', standing)![0]).toContain('尚无完整报送')
  })

  test('that declares no source is not complete', () => {
    const standing = standingOf({ cut: true, sources: [] }, WINDOW)
    expect(standing.standing).toBe('incomplete')
    expect(standingText('ah', standing)![0]).toBe('安徽未申报数据来源，不能确认是否完整。')
  })

  test('that was not cut is missing, which is not zero', () => {
    const standing = standingOf({ cut: false, sources: [source()] }, WINDOW)
    expect(standing).toEqual({ standing: 'missing', sources: [] })
    expect(standingText('sh', standing)![0]).toBe('上海未能参加本次截数，其数字缺失，不以零计。')
  })
})
