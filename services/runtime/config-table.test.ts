import { expect, test } from 'vitest'
import { configTable } from './config-table.ts'

test('a row says what to set, in which form, what holds without it and what it means', () => {
  const text = configTable({
    region: { env: 'HUB_REGION', type: 'string', doc: 'region: sh | js' },
    password: { env: 'HUB_PASSWORD', type: 'string', secret: true, default: null, doc: 'password' },
    every: { env: 'HUB_EVERY', type: 'duration', default: 120_000, doc: 'how often' },
    wait: { env: 'HUB_WAIT', type: 'duration', default: 1_500, doc: 'how long' },
    brokers: { env: 'HUB_BROKERS', type: 'list', default: ['a:1', 'b:2'], doc: 'brokers' },
    file: { env: 'HUB_FILE', type: 'path', default: '/somewhere/hub/.hub/local.json', doc: 'file' },
    port: { env: 'HUB_PORT', type: 'int', default: 0, doc: 'port' },
    prefix: { env: 'HUB_PREFIX', type: 'string', default: '', doc: 'prefix' },
  }, '/somewhere/hub/')
  expect(text.split('\n').map((line) => line.split(/ (?<!\\)\| /).map((cell) => cell.replace(/^\| | \|$/g, '')))).toEqual([
    ['环境变量 variable', '类型 type', '默认 default', '含义 meaning'],
    ['---', '---', '---', '---'],
    ['`HUB_REGION`', '文本 text', '**必填 required**', 'region: sh \\| js'],
    ['`HUB_PASSWORD`', '文本 text', '无 none', 'password (密钥，不入日志 secret, never logged)'],
    ['`HUB_EVERY`', '时长 duration (`250ms`, `2s`, `5m`)', '`2m`', 'how often'],
    ['`HUB_WAIT`', '时长 duration (`250ms`, `2s`, `5m`)', '`1500ms`', 'how long'],
    ['`HUB_BROKERS`', '逗号分隔 comma-separated', '`a:1,b:2`', 'brokers'],
    ['`HUB_FILE`', '路径 path', '`.hub/local.json`', 'file'],
    ['`HUB_PORT`', '整数 whole number', '`0`', 'port'],
    ['`HUB_PREFIX`', '文本 text', '无 none', 'prefix'],
  ])
})
