import type { FastifyReply, FastifyRequest } from 'fastify'
import { html, raw } from 'hono/html'
import { hash } from 'node:crypto'

export { html }

/** What `html` makes: text that is safe to send. Every value put into the template is escaped; a nested `html` is not escaped again. */
export type Html = ReturnType<typeof html>

export interface PageContent {
  /** Of the window, and the heading of the page; zh-CN first, without the hub's name. */
  readonly title: string
  /** What stands under the heading. */
  readonly body: Html
  /** Status of the answer; 200 when left out. */
  readonly status?: number
  /** Language of the text; `zh-CN` when left out. Mark English beside it with `<span lang="en">`. */
  readonly lang?: string
  /** Rules of this page alone, after those of all pages; always the same text. */
  readonly style?: string
}

/** One entry of the menu of pages. */
export interface MenuEntry {
  readonly href: string
  readonly text: string
}

/**
 * Answers with a whole HTML page: head, stylesheet, skip link, menu, who is signed in, heading and `body`.
 *
 * A route of a page says so in its config: `{ access, page: { menu: '我的提交 · My events' } }`. With `menu` it stands in the menu of those who may
 * open it; without a session it leads to `/login`; its problems are pages. Pages have no scripts and load nothing: the content security
 * policy forbids both, so build forms and links. Useful classes: `ok`, `bad`, `quiet` (colour and weight of text), `number` (right-aligned
 * figures), `scroll` (around a table that may be wider than a phone; `wide` on the table where its columns must not become narrow there), `entry` (label and field of a form).
 */
export async function page(request: FastifyRequest, reply: FastifyReply, { title, body, status = 200, lang = 'zh-CN', style = '' }: PageContent): Promise<FastifyReply> {
  const { caller } = request
  const menu = request.server.menu(caller)
  const text = await html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title} – ${HUB}</title>
<style>${raw(STYLE + style)}</style>
</head>
<body>
<a class="skip" href="#content">跳到正文 · Skip to content</a>
<header>
<p class="hub">${HUB} <span lang="en">Yangtze Delta event hub</span></p>
${menu.length === 0 ? '' : html`<nav aria-label="主菜单 · Main menu"><ul>${menu.map((entry) => html`<li><a href="${entry.href}"${entry.href === request.routeOptions.url ? raw(' aria-current="page"') : ''}>${entry.text}</a></li>`)}</ul></nav>`}
${caller === undefined ? '' : html`<form class="who" method="post" action="/logout"><span>${caller.organisation}（${caller.id}）</span> <button>退出 · Sign out</button></form>`}
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
  return reply.code(status).type('text/html; charset=utf-8').headers(PAGE_HEADERS).header('content-security-policy', policyOf(STYLE + style)).send(String(text))
}

const HUB = '长三角市场监管数据交换枢纽'

/** Contrast of text at least 7 : 1 on white; system fonts, Chinese ones first; one column on a phone; no colour or menu on paper. */
const STYLE = `
*{box-sizing:border-box}
html{font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",sans-serif;color:#1b1f24;background:#fff}
body{margin:0 auto;max-width:72rem;padding:0 1rem 3rem}
a{color:#0b4a8f}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,textarea:focus-visible{outline:3px solid #b35900;outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;padding:.5rem 1rem;background:#fff;border:2px solid}
header{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1.5rem;padding:.75rem 0;border-bottom:3px solid #a31621}
header p,header ul{margin:0;padding:0}
.hub{font-weight:700}
.hub span{font-weight:400;color:#4a5058}
nav ul{display:flex;flex-wrap:wrap;gap:1rem;list-style:none}
nav [aria-current]{font-weight:700;text-decoration:none;color:inherit}
.who{margin-left:auto}
h1{font-size:1.6rem;line-height:1.3;margin:1.5rem 0 1rem}
h2{font-size:1.2rem;margin:2rem 0 .5rem}
.scroll{overflow-x:auto}
.wide{min-width:46rem}
table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:700;padding:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid #c9ced4}
thead th{border-bottom:2px solid #4a5058}
.number{text-align:right;font-variant-numeric:tabular-nums}
code,pre{font-family:ui-monospace,Consolas,Menlo,monospace;font-size:.92em;overflow-wrap:anywhere}
.quiet{color:#4a5058}
.ok{color:#0b5b2b;font-weight:700}
.bad{color:#9b1020;font-weight:700}
.entry{margin:1rem 0}
.entry label{display:block;font-weight:700}
input,select,textarea{font:inherit;padding:.4rem .6rem;border:1px solid #4a5058;border-radius:3px;max-width:100%}
button{font:inherit;padding:.4rem 1rem;border:1px solid #0b4a8f;border-radius:3px;background:#0b4a8f;color:#fff;cursor:pointer}
.who button{padding:.1rem .6rem}
.who button,button.second{background:#fff;color:#0b4a8f}
@media(max-width:40rem){.who{margin-left:0}th,td{padding-right:.5rem}}
@media print{nav,.who,.skip{display:none}body{max-width:none;padding:0}a{color:inherit;text-decoration:none}thead{display:table-header-group}tr{break-inside:avoid}}
`

const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

const policies = new Map<string, string>()

function policyOf(style: string): string {
  let policy = policies.get(style)
  if (policy === undefined) policies.set(style, policy = `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`)
  return policy
}
