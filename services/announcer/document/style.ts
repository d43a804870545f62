/**
 * Of the document. Contrast of text at least 7 : 1; red stands in rules and in the heading, as on papers of the bureaus. Without quotes and without
 * child selectors: it goes through the template that escapes everything.
 */
export const STYLE = `
*{box-sizing:border-box}
html{font:16px/1.75 PingFang SC,Microsoft YaHei,Noto Sans CJK SC,Source Han Sans SC,WenQuanYi Micro Hei,system-ui,sans-serif;color:#1b1f24;background:#fff;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:60rem;padding:0 1.25rem 4rem}
a{color:#0b4a8f;overflow-wrap:anywhere}
a:focus-visible,.scroll:focus-visible{outline:3px solid #b35900;outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;padding:.5rem 1rem;background:#fff;border:2px solid}
header{text-align:center;padding:2.5rem 0 1rem;border-bottom:4px double #a31621}
.bureaus{margin:0;color:#a31621;font:700 1.35rem/1.6 Songti SC,SimSun,Noto Serif CJK SC,Source Han Serif SC,serif;letter-spacing:.12em;display:flex;flex-wrap:wrap;justify-content:center;gap:0 1.5rem}
.kind{margin:.5rem 0 0;color:#4a5058}
h1{font-size:1.75rem;line-height:1.4;text-align:center;margin:2rem 0 .25rem;text-wrap:balance}
h2{font-size:1.25rem;margin:2.75rem 0 1rem;padding-left:.6rem;border-left:5px solid #a31621;line-height:1.4}
h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
p{margin:.75rem 0}
.english{color:#4a5058;font-size:.9rem}
h1+.english{text-align:center;margin:0 0 1.5rem}
.notice{border:1px solid #a31621;border-left-width:5px;color:#7d0f18;padding:.6rem 1rem;margin:1rem 0;font-weight:700;list-style-position:inside}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 2rem;margin:1rem 0;padding:.75rem 0;border-top:1px solid #c9ced4;border-bottom:1px solid #c9ced4}
.facts dt,.facts dd{display:inline;margin:0}
.facts dt{color:#4a5058}
.facts dd{font-weight:700;margin-left:.5rem}
.headline{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1rem;margin:1rem 0}
.headline div{border-top:2px solid #a31621;padding-top:.5rem}
.headline dt{color:#4a5058}
.headline dd{margin:0;font-size:1.7rem;line-height:1.3;font-weight:700;font-variant-numeric:tabular-nums}
.headline span{font-size:1rem;font-weight:400;margin-left:.3rem}
.headline .word{font-size:1.2rem;margin:0}
.tips li{margin:.5rem 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.5rem 2.5rem;align-items:start;margin:1rem 0 1.5rem}
.chart{width:100%;max-width:30rem;height:auto;font-size:14px;break-inside:avoid}
figure{margin:0;break-inside:avoid}
figcaption{font-weight:700;margin-bottom:.5rem}
.chart text{fill:#1b1f24}
.chart .key{font-size:13px}
.chart .sum{font-weight:700;font-variant-numeric:tabular-nums}
.chart rect{stroke:#fff;stroke-width:1}
.s0{fill:#a31621}.s1{fill:#2f6690}.s2{fill:#b8860b}.s3{fill:#5b6470}
.scroll{overflow-x:auto;margin:1.25rem 0 0}
table{border-collapse:collapse;width:100%;font-size:.94rem;line-height:1.5}
caption{text-align:left;font-weight:700;padding:.4rem 0}
.unit{font-weight:400;color:#4a5058;font-size:.88rem;margin-left:.75rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;border-bottom:1px solid #d6dade}
thead th{border-top:2px solid #a31621;border-bottom:1px solid #4a5058;vertical-align:bottom}
tbody th{font-weight:400;min-width:3em}
tbody tr:last-child th,tbody tr:last-child td{border-bottom:2px solid #4a5058}
.totalled tbody tr:last-child th,.totalled tbody tr:last-child td{font-weight:700;border-top:1px solid #4a5058}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead .number{white-space:normal}
.absent{color:#4a5058;font-size:.94em;white-space:nowrap}
.scroll table{min-width:24rem}.scroll .wide{min-width:54rem}
.hash{font:.75rem/1.4 ui-monospace,Consolas,Menlo,monospace;overflow-wrap:anywhere;min-width:11rem}
.note{color:#4a5058;font-size:.88rem;margin:.4rem 0 1rem;padding-left:1.2rem}
p.note{padding:0}
.definitions dt{font-weight:700;margin-top:.6rem}
.definitions dd{margin:0}
code{font-family:ui-monospace,Consolas,Menlo,monospace;font-size:.86em;overflow-wrap:anywhere}
.verify{display:grid;grid-template-columns:auto minmax(0,1fr);gap:1.5rem;align-items:start}
.qr{width:10rem;height:10rem}
.digests dt{color:#4a5058}
.digests dd{margin:0 0 .4rem}
.mark{position:fixed;inset:0;z-index:9;margin:0;display:grid;place-items:center;pointer-events:none;font-size:min(7rem,18vw);font-weight:700;color:#a31621;opacity:.08;transform:rotate(-28deg);letter-spacing:.1em;white-space:nowrap;overflow:hidden}
@media(max-width:40rem){body{padding:0 .9rem 3rem}header{padding-top:1.5rem}.bureaus{font-size:1.05rem;gap:0 1rem;letter-spacing:.04em}h1{font-size:1.35rem}.facts{display:block}.verify{grid-template-columns:1fr}th,td{padding-right:.5rem}}
@media print{@page{size:A4;margin:18mm 15mm}html{font-size:10.5pt}body{max-width:none;padding:0}.skip{display:none}a{color:inherit;text-decoration:none}header{padding-top:0}h2,h3,caption{break-after:avoid}thead{display:table-header-group}.headline{grid-template-columns:repeat(5,1fr)}.headline dd{font-size:1.4rem}tr,svg,.verify{break-inside:avoid}.scroll{overflow:visible}.scroll table,.scroll .wide{min-width:0}table{font-size:8.5pt}.wide{font-size:7pt}.hash{font-size:6pt;min-width:0}.charts{grid-template-columns:1fr 1fr}th,td{padding:.25rem .4rem .25rem 0}}
`
