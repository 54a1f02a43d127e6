/** Colours of pages and pictures, for light and dark surroundings. */
export const palette = {
  light: `--paper: #fcfcfb; --panel: #f3f3f0; --ink: #1c1d20; --muted: #65676d; --line: #dcdcd6;
    --control: #84868d; --learned: #2a62c9; --ceiling: #1f8a5b; --other: #8a56b8; --highlight: #e9effb;
    --chain0: #2a62c9; --chain1: #c2761a; --chain2: #1f8a5b; --chain3: #8a56b8; --chain4: #20888f; --chain5: #7a6a4f; --divergent: #d3243f;`,
  dark: `--paper: #16171a; --panel: #1f2125; --ink: #e9e9e6; --muted: #a2a4aa; --line: #36383e;
    --control: #9b9da5; --learned: #7aa7ff; --ceiling: #58c492; --other: #bd93e6; --highlight: #1f2a40;
    --chain0: #7aa7ff; --chain1: #f0b060; --chain2: #58c492; --chain3: #bd93e6; --chain4: #5cc7ce; --chain5: #c3b08e; --divergent: #ff6b80;`,
};

/** Style sheet of the report: two palettes by the reader's setting, system fonts, no external file. */
export const reportStyle = `
:root { color-scheme: light dark; ${palette.light} }
@media (prefers-color-scheme: dark) { :root { ${palette.dark} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 984px; margin: 0 auto; padding: 48px 24px 72px; }
h1 { font-size: clamp(22px, 3.4vw, 31px); line-height: 1.28; font-weight: 650; letter-spacing: -0.012em; margin: 6px 0 0; text-wrap: balance; }
h2 { font-size: 19px; line-height: 1.3; font-weight: 650; margin: 52px 0 6px; }
p { margin: 8px 0 0; max-width: 70ch; text-wrap: pretty; }
.task { color: var(--muted); font-size: 14px; margin: 0; }
.muted, figcaption { color: var(--muted); font-size: 14px; line-height: 1.5; }
figure { margin: 18px 0 0; min-width: 0; }
figcaption { margin-bottom: 6px; }
figcaption strong { color: var(--ink); font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
.sheets { display: grid; gap: 4px 28px; }
.sheets img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 4px; }
.pair { display: grid; gap: 8px 28px; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); align-items: start; }
.small { display: grid; gap: 8px 14px; grid-template-columns: repeat(auto-fill, minmax(172px, 1fr)); }
.scroll { overflow-x: auto; margin-top: 16px; }
figure.scroll svg { min-width: 600px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { padding: 9px 14px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 10px; }
thead th { color: var(--muted); font-weight: 500; font-size: 13px; vertical-align: bottom; }
tbody th { font-weight: 600; }
tbody tr.learned { background: var(--highlight); }
td .std { color: var(--muted); font-size: 13px; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 9px; }
dl.notes { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 18px 0 0; font-size: 14px; }
dl.notes dt { font-weight: 600; } dl.notes dd { margin: 0; color: var(--muted); max-width: 74ch; }
dl.record { display: grid; grid-template-columns: minmax(130px, max-content) 1fr; gap: 3px 20px; margin: 14px 0 0; font-size: 14px; }
dl.record dt { color: var(--muted); } dl.record dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
details { margin-top: 14px; } summary { cursor: pointer; font-size: 14px; color: var(--muted); }
@media (max-width: 560px) {
  main { padding: 28px 16px 48px; } .pair { grid-template-columns: 1fr; }
  dl.notes, dl.record { grid-template-columns: 1fr; gap: 0; } dl.notes dd, dl.record dd { margin-bottom: 8px; }
}
@media print { main { padding: 0; max-width: none; } figure, tr { break-inside: avoid; } }
`;
