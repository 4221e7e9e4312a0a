"""The style sheet of HTML reports: a desktop, a phone, and A4 paper."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{--ok:#1d7a3c;--bad:#b3261e;--err:#8a4b00;--skip:#5b6470;--ink:#1b1f24;--soft:#59626d;--line:#d9dee4}
*{box-sizing:border-box}
body{margin:0;background:#eef1f4;color:var(--ink);font:15px/1.45 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem;background:#fff;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:0}h2{font-size:1.1rem;margin:0 0 .5rem}h3{font-size:.95rem;margin:1rem 0 .3rem}
a{color:inherit}small{color:var(--soft)}p{margin:.3rem 0}
.verdict{display:flex;gap:1.2rem;align-items:flex-start;padding:1rem;border-radius:8px;color:#fff}
.verdict .word{font-size:2.4rem;font-weight:800;line-height:1;margin:0;letter-spacing:.02em}
.verdict ul{margin:.4rem 0 0;padding-left:1.1rem}.verdict.pass{background:var(--ok)}.verdict.fail{background:var(--bad)}
.verdict.error{background:var(--err)}.verdict.skip{background:var(--skip)}
.verdict>div{min-width:0;overflow-wrap:anywhere}
.identity{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.5rem 1.2rem;margin:1rem 0}
.identity .wide{grid-column:span 2}
.identity dt{color:var(--soft);font-size:.8rem}.identity dd{margin:0;overflow-wrap:anywhere}
section{border-top:1px solid var(--line);padding:1rem 0;scroll-margin-top:1rem}
table{border-collapse:collapse;width:100%}td{padding:.25rem .5rem .25rem 0;vertical-align:top;overflow-wrap:anywhere}
.overview td{border-bottom:1px solid var(--line)}.overview td:nth-child(1){width:6.2rem}
.overview td:nth-child(2){width:38%}.overview small{display:block}
.pill{display:inline-block;min-width:4.6rem;padding:.1rem .5rem;border-radius:99px;color:#fff;font-size:.75rem;
font-weight:700;text-align:center;vertical-align:middle;white-space:nowrap}
.pill.pass{background:var(--ok)}.pill.fail{background:var(--bad)}.pill.error{background:var(--err)}
.pill.skip{background:var(--skip)}
.reason{color:var(--bad);font-weight:600}.remedy{background:#fff7e6;border-left:4px solid #d99a1c;padding:.4rem .7rem}
.measures{font-size:.9rem}.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.measures .number{width:7rem}.measures .limits{color:var(--soft);width:9rem}.barcell{width:11rem}
.number.bad{color:var(--bad);font-weight:700}.bar{display:block;width:100%;max-width:10rem;height:16px}
.track{fill:#e3e7ec}.good{fill:#9fd3ae}.tick{fill:#1b1f24}.tick.bad{fill:var(--bad)}
.notes{margin:.4rem 0;padding-left:1.2rem}
.scroll{overflow-x:auto}.scroll td{min-width:4.6rem}.differs td{min-width:7rem}
.matrix th,.differs th{text-align:left;font-size:.8rem;color:var(--soft);padding-right:.5rem}
.matrix{width:auto}.matrix td:first-child{padding-right:1.2rem;overflow-wrap:normal;white-space:nowrap}
.matrix td,.differs td{border-bottom:1px solid var(--line)}
.matrix,.columns{font-size:.9rem}.columns small{overflow-wrap:anywhere}.differs{font-size:.85rem}
.files{color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:.2rem 1rem}
.keys{font-size:.85rem;color:var(--soft)}.keys span{margin-right:1.2rem;display:inline-block}
.keys span::before{content:"";display:inline-block;height:1rem;border-left:2px solid;margin-right:.4rem;
vertical-align:middle}
.key.stimulus::before{border-color:#b3261e;border-left-style:dashed}.key.reaction::before{border-color:#1d7a3c}
.key.fault::before{border-color:#8a4b00;border-left-width:4px}
.plot{margin:.5rem 0}.plot svg{display:block;width:100%;height:auto}.plot text{font-size:10px;fill:#59626d}
.plot text.band{fill:#1b1f24;font-weight:600}figcaption{font-size:.85rem;color:var(--soft)}
figcaption b{color:var(--ink);font-weight:600}figcaption span{margin-left:.8rem;white-space:nowrap}
figcaption span::before{content:"";display:inline-block;width:1rem;height:3px;margin-right:.3rem;vertical-align:middle}
.line0::before{background:#0b62c4}.line1::before{background:#b4430b}
.grid{stroke:#e3e7ec;stroke-width:1}line.stimulus{stroke:#b3261e;stroke-dasharray:4 3}line.reaction{stroke:#1d7a3c}
line.fault{stroke:#8a4b00;stroke-width:2.5}
.timeline{font-size:.85rem}.timeline .number{width:4rem}.timeline .kind{width:6.5rem;color:var(--soft)}
.kind.stimulus{color:var(--bad)}.timeline .kind.reaction{color:var(--ok)}
.timeline .kind.fault{color:var(--err);font-weight:700}
footer{border-top:1px solid var(--line);padding-top:1rem;color:var(--soft);font-size:.85rem}
.signature{display:grid;grid-template-columns:repeat(3,1fr);gap:1.5rem;margin:2.2rem 0 .8rem}
.signature .line{border-top:1px solid var(--ink);padding-top:.2rem}
@media (max-width:34rem){.identity{grid-template-columns:1fr 1fr}main{padding:.6rem}
.verdict{flex-direction:column;gap:.5rem}
.measures tr{display:grid;grid-template-columns:1fr auto;border-bottom:1px solid var(--line);padding:.2rem 0}
.measures td{padding:.05rem 0}.measures .limits,.barcell{width:auto}.measures .number{width:auto}
.overview tr{display:grid;grid-template-columns:6.2rem 1fr}.overview td:nth-child(2){width:auto}
.overview td:nth-child(3){grid-column:1/-1;border-bottom:1px solid var(--line)}
.overview td:nth-child(-n+2){border-bottom:0}.plot text{font-size:13px}.signature{grid-template-columns:1fr}}
@media print{@page{size:A4;margin:14mm}body{background:#fff;font-size:10.5pt}main{max-width:none;padding:0}
section,figure,tr,.identity,.verdict{break-inside:avoid}section.result:has(.plot){break-inside:auto}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}a{text-decoration:none}}
"""
