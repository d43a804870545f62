/** A complaint as a region's 12315 system sends it; every field that tests change can be given. */
export function complaint(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    recordId: '12315-zj/1', version: 1, kind: 'original', authority: { code: '330100', rawName: '杭州市市场监督管理局' }, occurredOn: '2026-01-01', recordedAt: '2026-01-01T11:45:11+08:00',
    state: 'received', registeredOn: '2026-01-01', registeredAt: '2026-01-01T11:45:11+08:00', handlingDivision: '330106',
    respondent: { name: '杭州某服饰有限公司', uscc: '91330100799655058B', division: '330106', region: 'zj', entityType: 'enterprise' },
    object: { kind: 'services', code: 'S02' }, issue: { code: '04' }, channel: { code: '12' }, disputedFen: 20249, online: true, ...fields,
  }
}

/** A listing of an abnormal operation. */
export function listing(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    recordId: 'credit-zj/1', kind: 'original', authority: { code: '330100', rawName: '杭州市市场监督管理局' }, occurredOn: '2026-01-05', recordType: 'listing', listType: 'abnormal',
    regime: 'since-2021-09', subject: { name: '杭州某贸易有限公司', uscc: '91330100799655058B', division: '330106', region: 'zj', entityType: 'enterprise' },
    groundText: '通过登记的住所或者经营场所无法联系的', decisionNo: '杭市监异列〔2026〕1号', listedOn: '2026-01-05', ...fields,
  }
}

/** 17 digits with a date and a last character: what an identity number looks like, of nobody. */
export const IDENTITY = '330106199003077658'
