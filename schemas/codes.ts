import { KINDS } from './record-rule.ts'
import { REGIONS } from './streams.ts'

/** zh-CN and English. */
export type Text = readonly [zh: string, en: string]

export interface CodeTable {
  /** A closed table decides what an event means: other codes are refused. In an open one the law or a platform may add: they are flagged. */
  readonly closed: boolean
  readonly codes: Readonly<Record<string, Text>>
}

const closed = (codes: Record<string, Text>): CodeTable => ({ closed: true, codes })
const open = (codes: Record<string, Text> = {}): CodeTable => ({ closed: false, codes })

const KIND_TEXTS: Record<(typeof KINDS)[number], Text> = {
  original: ['首次发布', 'original'], 'follow-up': ['后续进展', 'follow-up'], correction: ['更正', 'correction'], removal: ['移出', 'removal'],
  repair: ['信用修复', 'repair'], restored: ['恢复列入', 'restored'], shield: ['暂时屏蔽', 'shield'], withdrawal: ['撤回公示', 'withdrawal'],
  expiry: ['期满', 'expiry'], void: ['撤销（自始无效）', 'void'], erasure: ['个人信息删除', 'erasure'],
}

const REGION_TEXTS: Record<(typeof REGIONS)[number], Text> = { sh: ['上海', 'Shanghai'], js: ['江苏', 'Jiangsu'], zj: ['浙江', 'Zhejiang'], ah: ['安徽', 'Anhui'] }

const RISK: Record<string, Text> = { low: ['低', 'low'], medium: ['中', 'medium'], high: ['高', 'high'], serious: ['严重', 'serious'] }

/**
 * The code tables that contracts name. The national codes of issues, goods, services and channels are the hub's own until the platform's tables
 * are to be had; a record may say which version of them it used (`codeVersion`).
 */
export const CODES: Readonly<Record<string, CodeTable>> = {
  kind: closed(KIND_TEXTS),
  region: closed(REGION_TEXTS),
  'party-region': closed({ ...REGION_TEXTS, other: ['长三角以外', 'elsewhere'] }),
  'entity-type': open({
    enterprise: ['企业', 'enterprise'], 'sole-trader': ['个体工商户', 'sole trader'], cooperative: ['农民专业合作社', 'co-operative'],
    'public-institution': ['事业单位', 'public institution'], association: ['社会团体', 'association'], individual: ['自然人', 'natural person'], other: ['其他', 'other'],
  }),
  publication: closed({
    'not-publishable': ['不予公示', 'never publishable'], pending: ['待公示', 'pending'], published: ['已公示', 'published'],
    withdrawn: ['已撤回', 'withdrawn'], expired: ['公示期满', 'expired'],
  }),

  'complaint-state': closed({
    received: ['待受理', 'received'], accepted: ['已受理', 'accepted'], refused: ['不予受理', 'refused'], transferred: ['已移送', 'transferred'],
    mediating: ['调解中', 'mediating'], settled: ['调解成功', 'settled'], self_settled: ['自行和解', 'settled by the parties'],
    withdrawn: ['消费者撤诉', 'withdrawn by the consumer'], terminated: ['终止调解', 'terminated'], converted_to_case: ['诉转案', 'converted to a case'],
    closed: ['已办结', 'closed'],
  }),
  'mediation-outcome': closed({
    settled: ['调解成功', 'settled'], self_settled: ['自行和解', 'settled by the parties'], withdrawn: ['消费者撤诉', 'withdrawn by the consumer'],
    terminated: ['终止调解', 'terminated'], converted_to_case: ['诉转案', 'converted to a case'],
  }),
  'refusal-ground': open({
    1: ['不具有处理权限', 'not competent'], 2: ['已由其他机构处理', 'handled elsewhere already'], 3: ['非生活消费或无争议', 'not living consumption, or no dispute'],
    4: ['超过三年', 'more than three years ago'], 5: ['材料不全', 'material missing'], 6: ['其他规定', 'other law'],
  }),
  'termination-ground': open({
    1: ['撤回或自行和解', 'withdrawn or settled by the parties'], 2: ['检验检测未达成一致', 'no agreement on laboratory or cost'], 3: ['不参加或拒绝调解', 'no-show or refusal'],
    4: ['期限内未达成一致', 'no agreement in time'], 5: ['无法达成', 'declared impossible'], 6: ['发现不予受理情形', 'a ground of refusal was found later'], 7: ['其他', 'other'],
  }),
  'object-kind': closed({ goods: ['商品', 'goods'], services: ['服务', 'services'], other: ['其他', 'other'] }),
  'complaint-issue': open({
    '01': ['售后服务', 'after-sales service'], '02': ['合同', 'contract'], '03': ['质量', 'quality'], '04': ['价格', 'price'], '05': ['虚假宣传', 'false advertising'],
    '06': ['安全', 'safety'], '07': ['假冒', 'counterfeit'], '08': ['人格尊严', 'dignity'], '09': ['计量', 'measure'], '10': ['其他', 'other'],
  }),
  'object-class': open({
    G01: ['食品', 'food'], G02: ['服装鞋帽', 'clothing and shoes'], G03: ['家居用品', 'household goods'], G04: ['交通工具', 'vehicles'], G05: ['家用电器', 'home appliances'],
    G06: ['药品', 'medicines'], G07: ['烟酒饮料', 'tobacco, alcohol, drinks'], G99: ['其他商品', 'other goods'], S01: ['餐饮和住宿服务', 'catering and lodging'],
    S02: ['销售服务', 'retail'], S03: ['美容美发洗浴服务', 'beauty and bath'], S04: ['专业技术服务', 'professional services'], S05: ['制作保养和修理服务', 'making, upkeep and repair'],
    S06: ['文化娱乐体育服务', 'culture and sports'], S07: ['教育培训服务', 'education'], S08: ['互联网服务', 'internet'], S09: ['通讯服务', 'telecommunications'],
    S10: ['交通运输服务', 'transport'], X01: ['其他', 'other'],
  }),
  channel: open({
    11: ['全国12315平台-PC', '12315 platform, PC'], 12: ['全国12315平台-微信小程序', '12315 platform, WeChat mini program'], 13: ['全国12315平台-微信公众号', '12315 platform, WeChat account'],
    14: ['全国12315平台-支付宝小程序', '12315 platform, Alipay'], 15: ['全国12315平台-手机APP', '12315 platform, app'], 16: ['全国12315平台-百度小程序', '12315 platform, Baidu'],
    20: ['省级平台', 'provincial platform'], 30: ['电话', 'telephone'], 40: ['来信', 'letter'], 50: ['来人来访', 'visit'], 60: ['12345', '12345'], 90: ['其他', 'other'],
  }),

  'record-type': closed({ listing: ['名单', 'listing'], penalty: ['行政处罚', 'penalty'] }),
  'list-type': closed({
    abnormal: ['经营异常名录', 'abnormal operations'], serious: ['严重违法失信名单', 'serious violations'], 'sole-trader-mark': ['个体工商户经营异常状态', 'sole-trader mark'],
    penalty: ['行政处罚', 'penalty'],
  }),
  'credit-regime': open({ 'before-2021-09': ['2021年9月1日前', 'before 2021-09-01'], 'since-2021-09': ['2021年9月1日起', 'since 2021-09-01'] }),
  'credit-ground': open(),
  'removal-path': open({
    fulfilled: ['履行义务移出', 'duty met'], repair: ['提前移出（信用修复）', 'early, by repair'], expired: ['期满', 'term ended'], deregistered: ['企业注销', 'deregistered'],
    voided: ['撤销列入', 'listing annulled'], recovered: ['恢复正常记载', 'sole-trader mark lifted'],
  }),
  'removal-ground': open(),
  'violation-type': open(),
  'penalty-measure': open({
    warning: ['警告', 'warning'], criticism: ['通报批评', 'public criticism'], fine: ['罚款', 'fine'], confiscation: ['没收', 'confiscation'], suspension: ['责令停产停业', 'suspension'],
    'licence-revoked': ['吊销许可证件', 'licence revoked'], 'trade-ban': ['限制从业', 'trade ban'], other: ['其他', 'other'],
  }),

  'inspection-kind': closed({ food: ['食品安全抽检', 'food sampling'], product: ['产品质量监督抽查', 'product spot check'] }),
  'party-role': closed({
    'sampled-unit': ['被抽样单位', 'sampled unit'], 'nominal-producer': ['标称生产企业', 'nominal producer'], consignor: ['委托方', 'consignor'], contractor: ['受托方', 'contractor'],
    platform: ['网络交易平台', 'web platform'], importer: ['进口商', 'importer'],
  }),
  attribution: closed({ nominal: ['标称', 'as labelled'], confirmed: ['确认', 'confirmed'], denied: ['否认（假冒）', 'denied, a counterfeit'] }),
  'inspection-outcome': closed({
    none: ['无', 'none'], upheld: ['复检维持', 'upheld'], overturned: ['复检改变', 'overturned'], denied: ['异议成立：非其生产', 'denied: not the producer'], refused: ['异议不予认可', 'objection refused'],
  }),
  'product-category': open(),
  'disposal-state': closed({ open: ['处置中', 'open'], closed: ['已完成', 'closed'] }),
  'disposal-outcome': open({ penalty: ['行政处罚', 'penalty'], rectified: ['整改', 'rectified'], recalled: ['召回', 'recalled'], transferred: ['移送', 'transferred'], 'no-action': ['不予处罚', 'no action'] }),

  'recall-type': open({ product: ['消费品', 'consumer product'], vehicle: ['汽车', 'vehicle'], food: ['食品', 'food'], drug: ['药品', 'medicine'], device: ['医疗器械', 'medical device'] }),
  'recall-state': closed({
    suspected: ['疑似缺陷', 'suspected'], planned: ['已备案', 'plan filed'], published: ['已发布', 'published'], in_progress: ['实施中', 'in progress'], completed: ['已完成', 'completed'],
  }),
  'recall-level': open({ 1: ['一级', 'level 1'], 2: ['二级', 'level 2'], 3: ['三级', 'level 3'] }),
  'defect-kind': open({ design: ['设计', 'design'], manufacture: ['制造', 'manufacture'], warning: ['警示标识', 'warning'] }),
  'risk-degree': open(RISK),
  'recall-remedy': open({ warning: ['补充警示', 'correct the warnings'], repair: ['修理', 'repair'], replace: ['更换', 'replace'], refund: ['退货', 'refund'] }),

  'tally-type': closed({ report: ['举报', 'reports'], consultation: ['咨询', 'consultations'] }),

  'announcement-act': closed({
    draft: ['起草', 'drafts'], recomputed: ['复算一致', 'recomputes and signs'], dissent: ['复算不符', 'dissents'], approved: ['审核通过', 'approves'], rejected: ['退回', 'rejects'],
    correction: ['更正', 'corrects'], retract: ['撤回', 'takes back'],
  }),

  'source-mode': closed({ full: ['全量', 'everything'], changes: ['增量', 'what changed'] }),
  'version-rule': closed({ 'source-number': ['来源版本号', 'number of the source'], 'update-time': ['来源更新时间', 'time of update'], counter: ['枢纽计数', 'counted by the hub'] }),
  'hand-over-way': closed({ import: ['文件', 'file'], api: ['接口', 'API'] }),
}
