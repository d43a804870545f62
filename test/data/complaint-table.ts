/** As the exports of a 12315 system name them. */
const HEADER = '登记编号,版本号,工单类型,登记时间,办理状态,来源渠道,投诉人姓名,性别,年龄,证件号码,联系电话,电子邮箱,联系地址,被投诉方名称,统一社会信用代码,被投诉方地址,所在区划,核查后名称,核查后信用代码,商品或服务名称,客体类别,问题类别,问题描述,是否网购,购物平台,订单号,涉及金额（元）,受理时间,不予受理理由,转办去向,调解结果,办结时间,挽回金额（元）,承办单位,承办人,更新时间'

/** Every so many rows one is a report, which is only counted. */
export const REPORT_EVERY = 10

/** An export of complaints of Jiangsu with this many rows, the same whenever it is made. */
export function* complaintTable(rows: number): Generator<string> {
  yield `\ufeff${HEADER}\r\n`
  for (let row = 0; row < rows; row++) {
    const day = `2026/${1 + (row % 3)}/${1 + (row % 28)}`
    const time = `${day} ${8 + (row % 10)}:${String(row % 60).padStart(2, '0')}:14`
    const type = row % REPORT_EVERY === REPORT_EVERY - 1 ? '举报' : '投诉'
    yield `32990000${String(row).padStart(7, '0')},1,${type},${time},已受理,C7,曹然骉,女,41,000000195907026579,15400063558,u400210@example.invalid,虚拟市样本区555弄1362室,天宁莳岑物业服务有限公司${row % 500}号店,91320402993459018Q,常州市天宁区望稷路684号1782室,320402,,,销售服务,K10,Q0001,"购买后要求退换，商家拒绝，要求退款赔偿。",是,橙隅外卖,${5_648_000_000 + row},"1,420.77",${time},,,,,,常州市天宁区市场监督管理局,施秉公,${time}\r\n`
  }
}
