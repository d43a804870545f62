import { problemAnswer, type Documented } from '@hub/runtime/http'
import { MAX_CODES, NDJSON } from './batch.ts'
import { BATCH_EXAMPLE, EARLIER_EXAMPLE, EXAMPLES } from './openapi.ts'
import { MOST_CANDIDATES } from './search.ts'

const NOT_NOW = problemAnswer('正在读取，或数据库、副本不可用 · still reading, or the database or the replica is not there', 'LOOKUP_LOADING', 'DEPENDENCY_DOWN', 'REPLICA_MISSING')

export const SINGLE_SCHEMA = {
  operationId: 'lookUpCredit',
  summary: '查询一个主体是否在册 · look one subject up',
  description: 'listed：列出四地现行有效的全部列入；not-listed：四地数据均完整且未查到；不能断定时为 503 ANSWER_UNKNOWN，incomplete 说明原因。penalties 仅供参考，不影响结论。以 15 位注册号查询时，未查到一律不能断定。'
    + 'asOf（officer）：当时有效、且现在仍可共享的列入；未查到不等于当时未被列入。signed：附技术凭证（JWS，非电子印章），用 hub verify-answer 离线核验。'
    + ' · listed: every active listing of the four regions; not-listed: nothing found and every region complete; otherwise 503 ANSWER_UNKNOWN, and incomplete says why. Penalties are facts beside the verdict. By a registration number nothing found never means not listed.'
    + ' asOf (officers): what was in force then and may still be shared. signed adds a JWS to be verified offline with hub verify-answer: a technical proof, not an electronic seal.',
  tags: ['credit'],
  params: { type: 'object', required: ['uscc'], properties: { uscc: { type: 'string', maxLength: 1000, description: '统一社会信用代码或 15 位注册号，大小写、全半角、空格、连字符不限 · code or registration number in any writing' } } },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      asOf: { type: 'string', minLength: 1, maxLength: 40, description: '过去的时间，RFC 3339 · a time in the past, RFC 3339' },
      signed: { type: 'boolean', default: false, description: '附技术凭证 · add a signature' },
    },
  },
}
export const SINGLE: Documented = {
  response: {
    200: {
      description: '结论、依据与数据截至情况 · verdict, evidence and how far it reaches',
      content: { 'application/json': { schema: { anyOf: [{ $ref: 'CreditAnswer#' }, { $ref: 'CreditAnswerAsOf#' }] }, examples: { listed: { summary: '在册 · listed', value: EXAMPLES.listed }, 'not-listed': { summary: '未查到 · not listed', value: EXAMPLES.notListed }, asOf: { summary: '过去的时间 · an earlier time', value: EARLIER_EXAMPLE } } } },
    },
    400: problemAnswer('代码或时间有误，detail 说明何处 · the code or the time is wrong; the detail says where', 'CODE_WRONG', 'ASOF_INVALID', 'ASOF_FUTURE', 'ASOF_BY_CODE', 'NOT_SIGNING'),
    410: problemAnswer('该时间在本副本已无法回答 · this replica can no longer say', 'ASOF_TOO_OLD', 'ASOF_OTHER_GENERATION', 'ASOF_INCOMPLETE'),
    503: problemAnswer('不能断定未被列入，或正在读取 · cannot be said, or still reading', 'ANSWER_UNKNOWN', 'LOOKUP_LOADING', 'DEPENDENCY_DOWN', 'REPLICA_MISSING'),
  },
}
export const SEARCH_SCHEMA = {
  operationId: 'searchCredit',
  summary: '按名称查找代码 · find codes by name',
  description: '名称以所给文字开头的主体，供选取代码后再查询；不是结论：不在其中者可能以其他名称在册，在其中者可能仅有处罚。自然人（含个体工商户）只能以代码查询。全半角、大小写、空格、括号和标点不限。'
    + ' · Firms whose name begins like this, to be asked for by code. No verdict: one that is not among them may be listed under another name, one that is may have a penalty alone. Natural persons, sole traders among them, are found by code only.',
  tags: ['credit'],
  querystring: { type: 'object', additionalProperties: false, required: ['name'], properties: { name: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$', description: '名称的开头，至少两个字 · the beginning of the name, two characters or more' } } },
}
export const SEARCH: Documented = {
  response: {
    200: { description: `至多 ${MOST_CANDIDATES} 个 · at most ${MOST_CANDIDATES}`, content: { 'application/json': { schema: { $ref: 'CreditCandidates#' }, example: EXAMPLES.candidates } } },
    400: problemAnswer('文字太短 · too short', 'NAME_TOO_SHORT'),
    503: NOT_NOW,
  },
}
export const BATCH_SCHEMA = {
  operationId: 'lookUpCreditBatch',
  summary: '批量查询 · look many up',
  description: `一次至多 ${MAX_CODES} 个。答复为 NDJSON：首行 head（数据截至），其后每个代码一行，次序相同；末行 summary。没有末行即不完整。 · At most ${MAX_CODES}. The answer is NDJSON: head, a line for each code in its order, summary; without the summary it is not whole.`,
  tags: ['credit'],
}
export const BATCH: Documented = {
  body: { content: { 'application/json': { schema: { type: 'object', required: ['codes'], properties: { codes: { type: 'array', maxItems: MAX_CODES, items: { type: 'string' } } } }, example: { codes: [EXAMPLES.listed.uscc, EXAMPLES.notListed.uscc] } }, [NDJSON]: { schema: { type: 'string', description: '每行一个代码 · one code a line' } } } },
  response: {
    200: { description: '每行一个 JSON · one JSON a line', content: { [NDJSON]: { schema: { type: 'string', description: 'CreditBatchHead、CreditBatchLine 或 CreditBatchProblem、CreditBatchSummary' }, example: BATCH_EXAMPLE } } },
    400: problemAnswer('请求有误 · the request is wrong', 'TOO_MANY_CODES', 'BATCH_WRONG'),
    408: problemAnswer('内容未及时到达 · the body did not come in time', 'BODY_TOO_SLOW'),
    413: problemAnswer('内容过大，请分批 · too large: send several batches', 'BODY_TOO_LARGE'),
    415: problemAnswer('内容类型不支持 · this content type is not accepted', 'MEDIA_TYPE'),
    503: NOT_NOW,
  },
}
