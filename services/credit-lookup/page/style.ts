/** Of the public page alone; contrast at least 7 : 1 on what lies behind, and no meaning in colour without words. */
export const STYLE = `
.lead{font-size:1.05rem;max-width:46rem}
.en{color:#4a5058;font-size:.88em}
form.ask{background:#f4f6f8;border:1px solid #c9ced4;border-radius:4px;padding:1rem 1.25rem;margin:1.25rem 0}
form.ask label{display:block;font-weight:700}
form.ask p{margin:.25rem 0 .6rem}
textarea{display:block;width:100%;font:1rem/1.5 ui-monospace,Consolas,Menlo,monospace;padding:.5rem .6rem;border:1px solid #4a5058;border-radius:3px;background:#fff;color:inherit;resize:vertical}
textarea:focus-visible,summary:focus-visible{outline:3px solid #b35900;outline-offset:2px}
form.ask button{font-size:1.05rem;font-weight:700;padding:.5rem 1.75rem;margin-top:.25rem}
.alert{border:2px solid #9b1020;border-radius:4px;padding:.6rem 1rem;color:#9b1020;font-weight:700}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:.5rem 0}
.facts dt{color:#4a5058}
.facts dd{margin:0;overflow-wrap:anywhere}
.card{border:1px solid #c9ced4;border-left:6px solid #4a5058;border-radius:4px;padding:.75rem 1.25rem;margin:1rem 0}
.card h3{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:.25rem 1rem;font-size:1.15rem;margin:0 0 .25rem}
.card h3 code{font-size:1.05rem}
.card h4{font-size:1rem;margin:.9rem 0 .25rem;padding-top:.6rem;border-top:1px solid #c9ced4}
.card p{margin:.35rem 0}
.verdict{white-space:nowrap}
.listed{border-left-color:#9b1020}.listed .verdict{color:#9b1020}
.unknown{border-left-color:#7a4a00}.unknown .verdict{color:#6b4000}
.not-listed{border-left-color:#0b4a8f}.not-listed .verdict{color:#0b4a8f}
.tools{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem}
.notes li{margin:.3rem 0}
pre.proof{white-space:pre-wrap;max-height:9rem;overflow:auto;background:#f4f6f8;padding:.5rem}
#result:focus{outline:none}
@media(max-width:40rem){.scroll table{min-width:38rem}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.4rem}.card,form.ask{padding:.6rem .9rem}}
@page{size:A4;margin:16mm 14mm}
@media print{html{font-size:10.5pt}form.ask,.tools,.lead,details{display:none}.card{break-inside:avoid-page;border-color:#4a5058}.facts{grid-template-columns:max-content 1fr}h1{margin-top:.5rem}h2,h3{break-after:avoid}}
`
