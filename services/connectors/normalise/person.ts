const SURNAMES = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘斜厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴郁胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公'
const GOODS = '食用农产品|农产品|水产品|水产|蔬菜|水果|猪肉|鲜肉|肉类|干货|豆制品|禽蛋|家禽|调味品'
const NAME = `(?!${GOODS})[${SURNAMES}]\\p{Script=Han}{1,2}`

const BARE = new RegExp(`^${NAME}$`, 'u')

/** 「凤秀英（孚玉镇某市场大棚南角）」: a person, the place in brackets. */
const WITH_PLACE = new RegExp(`^${NAME}[（(](.{4,})[）)]$`, 'u')
/** 「某农贸市场方秀英摊位」: a person's stall in a market. */
const STALL = new RegExp(`^(.*(?:市场|菜场|集市|商城)内?)(?:个体工商户)?${NAME}((?:${GOODS})?摊(?:位|点)?|)$`, 'u')

/**
 * The name of a seller without the person in it: a trader without a shop of its own keeps its place. A firm, and a shop that bears a name, are returned as they are. Known are
 * the forms that notices use; other names of people are the source's to leave out.
 */
export function withoutPerson(name: string): { readonly name?: string, readonly person: boolean } {
  if (BARE.test(name)) return { person: true }
  const place = WITH_PLACE.exec(name)?.[1]
  if (place !== undefined) return { name: place, person: true }
  const stall = STALL.exec(name)
  return stall === null ? { name, person: false } : { name: `${stall[1]}${stall[2]}`, person: true }
}
