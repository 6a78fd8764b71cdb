--- The CSS of reports in HTML: for wide screens, phones and paper, in a light and a dark scheme. No
--- meaning is shown by colour alone; every text has a contrast of at least 4.5 to 1.

return [[
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1b2330; --soft: #566071; --line: #dfe2e7;
  --good: #14694a; --good-wash: #e4f2ec; --good-bar: #3d9472;
  --warn: #855300; --warn-wash: #fbf0d9; --warn-bar: #d39a2d;
  --bad: #a62019; --bad-wash: #fbe7e4; --bad-bar: #cf4a3f;
  --calm: #2b5c96; --track: #eceef1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #191f27; --ink: #e8ebf0; --soft: #a3adbb; --line: #303844;
    --good: #74cfa7; --good-wash: #15302a; --good-bar: #3f9c78;
    --warn: #eebc5b; --warn-wash: #362a12; --warn-bar: #b9852a;
    --bad: #ff9b8f; --bad-wash: #3d1c19; --bad-bar: #d1584c;
    --calm: #8fbdf0; --track: #262d37;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1, h2 { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "Noto Serif",
  serif; font-weight: 600; line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.6rem, 5vw, 2.3rem); margin: .1rem 0 1.1rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .9rem; }
p, dl, dd, ul { margin: 0; }
.eyebrow { color: var(--soft); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; }
.verdict { display: flex; gap: .9rem; align-items: flex-start; border-radius: 10px;
  padding: 1rem 1.2rem; border-left: 5px solid; }
.verdict strong { display: block; font-size: 1.15rem; line-height: 1.35; }
.verdict .sign { font-size: 1.35rem; line-height: 1.15; }
.verdict p { color: var(--ink); overflow-wrap: anywhere; }
.verdict.good { background: var(--good-wash); border-color: var(--good-bar); color: var(--good); }
.verdict.warn { background: var(--warn-wash); border-color: var(--warn-bar); color: var(--warn); }
.verdict.bad { background: var(--bad-wash); border-color: var(--bad-bar); color: var(--bad); }
.verdict.plain { background: var(--track); border-color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
  gap: 1px; margin-top: 1.2rem; background: var(--line); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
.figures div { background: var(--card); padding: .9rem 1.1rem 1rem; }
.figures dt { color: var(--soft); font-size: .82rem; }
.figures .value { font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
.figures .detail { color: var(--soft); font-size: .82rem; line-height: 1.4; }
.figures .bad .value { color: var(--bad); }
.figures .warn .value { color: var(--warn); }
.chain { margin-top: .8rem; font-size: .9rem; overflow-wrap: anywhere; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.attention li { overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; } li { margin: .3rem 0; }
figure { margin: 0; }
figcaption { color: var(--soft); font-size: .84rem; margin-top: .4rem; }
.timeline { display: block; overflow: visible; font-size: 13px; }
.timeline text { fill: var(--ink); }
.timeline .lane { font-weight: 600; } .timeline .axis { fill: var(--soft); font-size: 12px; }
.timeline .took { fill: var(--soft); }
.timeline .took.bad { fill: var(--bad); } .timeline .took.warn { fill: var(--warn); }
.timeline .track { stroke: var(--track); stroke-width: 10; }
.timeline .tick { stroke: var(--line); }
.timeline .bar { fill: var(--good-bar); } .timeline .bar.plain { fill: var(--soft); }
.timeline .bar.warn { fill: var(--warn-bar); } .timeline .bar.bad { fill: var(--bad-bar); }
.timeline .bar.verify { fill: var(--calm); }
.timeline .bar.gate { fill: var(--card); stroke: var(--good-bar); stroke-width: 1.5; }
.timeline .bar.gate.warn { stroke: var(--warn-bar); }
.timeline .bar.gate.bad { stroke: var(--bad-bar); }
.timeline .bar.cut { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 2; }
.timeline .gap { fill: var(--track); opacity: .75; }
.timeline .mark { stroke: var(--soft); stroke-width: 1.25; }
.timeline .mark.process { stroke-dasharray: 2 3; }
.timeline .mark.no_return { stroke: var(--bad-bar); stroke-width: 1.5; }
.timeline .mark.data_ready, .timeline .mark.old_side_fenced { stroke: var(--good-bar);
  stroke-width: 1.5; }
.timeline .mark.verified { stroke: var(--calm); stroke-width: 1.5; }
.timeline .name, .timeline .took, .timeline .lane, .timeline .flag { paint-order: stroke;
  stroke: var(--paper); stroke-width: 6px; stroke-linejoin: round; }
.timeline .flag { font-size: 12.5px; }
.timeline .flag.no_return { fill: var(--bad); } .timeline .flag.verified { fill: var(--calm); }
.timeline .flag.data_ready, .timeline .flag.old_side_fenced { fill: var(--good); }
table { width: 100%; border-collapse: collapse; font-size: .95rem; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .7rem; border-top: 1px solid
  var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: .82rem; font-weight: 500; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; } .state { white-space: nowrap; }
.kind { color: var(--soft); font-weight: 400; font-size: .85rem; }
.details td { color: var(--soft); font-size: .84rem; line-height: 1.5; overflow-wrap: anywhere;
  border-top: 0; padding: 0 0 .7rem; }
.details span { display: block; padding-left: .8rem; border-left: 2px solid var(--line); }
.about { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem;
  font-size: .92rem; }
.about dt { color: var(--soft); } .about dd { overflow-wrap: anywhere; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .84rem; }
@media (max-width: 34rem) {
  main { padding: 1.4rem 1rem 3rem; }
  .figures { grid-template-columns: 1fr 1fr; }
  .figures div { padding: .7rem .8rem .8rem; } .figures .value { font-size: 1.25rem; }
  th, td { padding: .55rem .4rem; } .details td { padding: 0 0 .6rem; }
  .state .word { display: block; font-size: .8rem; }
  .about { grid-template-columns: 1fr; gap: 0; } .about dd { margin-bottom: .5rem; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --track: #eee; --good: #0c5238; --warn: #6b4300; --bad: #8c1710;
    --calm: #1f4a7d; --good-wash: #fff; --warn-wash: #fff; --bad-wash: #fff;
    --good-bar: #3d9472; --warn-bar: #c08a1f; --bad-bar: #c23c31; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 1.6rem; }
  tbody, .verdict, .figures, .timeline { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
]]
