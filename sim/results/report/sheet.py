"""The style sheet of the report."""

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1b1f24;
  font: 16px/1.5 "DejaVu Sans", Verdana, "Segoe UI", system-ui, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.12rem; line-height: 1.35; margin: 2.2rem 0 .5rem; break-after: avoid; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; break-after: avoid; }
p { margin: .5rem 0; }
.line, figcaption { color: #4b535d; font-size: .86rem; }
.headline { font-size: 1.1rem; font-weight: 600; }
.warning { border-left: 4px solid #d55e00; padding: .4rem .8rem; background: #fff4ec; }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px; margin: 1.2rem 0; }
.card { border: 1px solid #d9dde2; border-radius: 6px; padding: .5rem .7rem; }
.card .value { font-size: 1.35rem; font-weight: 600; white-space: nowrap; }
.card .what { font-size: .78rem; color: #4b535d; }
figure { margin: 2.2rem 0; break-inside: avoid; }
figure h2 { margin-top: 0; }
figure svg { display: block; max-width: 100%; height: auto; }
figure svg text { font-family: Arial, "Liberation Sans", Helvetica, sans-serif; }
.narrow { display: none; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .28rem .7rem .28rem 0; border-bottom: 1px solid #e6e8eb; }
th { color: #4b535d; font-weight: 600; }
.number { text-align: right; }
.tight td, .tight th { white-space: nowrap; }
.against td { color: #b3261e; font-weight: 600; }
.folded td { min-width: 6.5rem; }
.folded td:first-child { min-width: 12rem; overflow-wrap: anywhere; }
.pairs td:last-child { overflow-wrap: anywhere; }
.pairs td:first-child { width: 14rem; }
.parameters td { min-width: 5rem; }
.parameters td:last-child { min-width: 13rem; }
section { break-inside: avoid; }
summary { cursor: pointer; margin: .8rem 0; font-weight: 600; }
@media (max-width: 700px) {
  main { padding: 16px 14px 32px; }
  h1 { font-size: 1.35rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .cards { grid-template-columns: repeat(2, 1fr); }
  .card .value { font-size: 1.15rem; }
  .pairs td:first-child { width: 40%; }
}
@page { margin: 15mm; }
@media print {
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  .wide { display: block; }
  .narrow { display: none; }
  .scroll { overflow: visible; }
}
"""
