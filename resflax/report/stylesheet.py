"""The page's style sheet: light and dark, narrow and wide, screen and paper."""

from resflax.report.theme import PALETTE


def _variables(scheme: int) -> str:
  return ' '.join(f'--{name}: {hue[scheme]};' for name, hue in PALETTE.items())


# Paper is light whatever the screen is: hence `screen`.
CSS = (
  f"""
:root {{ color-scheme: light dark; {_variables(0)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(1)} }} }}
"""
  + """
body {
  max-width: 940px; margin: 48px auto 96px; padding: 0 24px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, 'Segoe UI', Helvetica, Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { font-size: 30px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 56px 0 4px; }
h3 { font-size: 15px; margin: 20px 0 0; }
p { margin: 0 0 16px; color: var(--soft); max-width: 42em; }
svg { display: block; }
svg text { fill: currentColor; }
figure { margin: 0; }

.facts { display: flex; flex-wrap: wrap; gap: 16px 32px; margin: 24px 0 0; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-size: 22px; font-weight: 600; line-height: 1.25; }
.facts small {
  display: block; color: var(--soft); font-size: 12px; font-weight: 400;
}

/* Shrinks a little; then scrolls, for its text has to stay readable. */
.wide svg { width: 100%; min-width: 700px; height: auto; }
.wide, .drawn, .side-by-side > figure { overflow-x: auto; }
.side-by-side { display: flex; flex-wrap: wrap; gap: 16px 32px; }
/* Text under a heading wraps at the width of the figure below it. */
.side-by-side > figure { width: min-content; max-width: 100%; }

.gallery {
  display: grid; gap: 16px 12px;
  grid-template-columns: repeat(auto-fill, minmax(96px, 1fr));
}
.gallery img {
  display: block; width: 100%; aspect-ratio: 1; object-fit: contain;
  margin-bottom: 4px;
}
.gallery .pixelated { image-rendering: pixelated; }
.gallery p {
  display: flex; gap: 4px; margin: 0; font-size: 12px; line-height: 1.4;
}
.gallery span {
  color: var(--ink); overflow: hidden; overflow-wrap: anywhere;
  hyphens: auto;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2;
}
.gallery i { font-style: normal; }
.right { color: var(--blue); }
.wrong { color: var(--vermilion); }

p.note { font-size: 13px; margin-top: 12px; max-width: none; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td {
  text-align: left; vertical-align: top; padding: 3px 16px 3px 0;
  border-bottom: 1px solid var(--hairline); overflow-wrap: anywhere;
}
thead th { color: var(--soft); font-weight: 400; }
tbody th { font-weight: 400; width: 30%; }
td:last-child { color: var(--soft); }
td:nth-child(2) { color: var(--ink); }

/* Many runs, sorted by the heads of the columns. */
.scroll { overflow: auto; max-height: max(560px, 85vh); margin: 12px 0 0; }
.runs th, .runs td { white-space: nowrap; color: inherit; }
.runs .number { text-align: right; }
.runs tbody th { width: auto; }
.runs thead th {
  position: sticky; top: 0; background: var(--paper); padding-right: 0;
}
.runs td, .runs tbody th { padding-right: 12px; }
.drawn th, .drawn td { white-space: nowrap; padding-right: 24px; }
.fields th { overflow-wrap: normal; }
.runs button {
  all: unset; cursor: pointer; color: var(--soft); padding-right: 12px;
}
.runs button:hover, .runs button:focus-visible { color: var(--blue); }
.runs button::after { content: '\\2195'; opacity: 0; margin: 0 -12px 0 2px; }
.runs button:hover::after { opacity: 0.5; }
[aria-sort] > button { color: var(--ink); }
[aria-sort=ascending] > button::after { content: '\\2191'; opacity: 1; }
[aria-sort=descending] > button::after { content: '\\2193'; opacity: 1; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
ul { margin: 8px 0 16px; padding-left: 20px; max-width: 42em; }
summary { cursor: pointer; color: var(--soft); margin: 12px 0 0; }

@media (max-width: 640px) {
  body { margin-top: 24px; padding: 0 16px; }
  table { font-size: 12px; }
  th, td { padding-right: 8px; }
  tbody th { width: auto; }
}
@media print {
  body { margin: 0; max-width: none; font-size: 12px; }
  h2, h3 { break-after: avoid; }
  .wide svg { min-width: 0; }
  .wide, figure, tr { break-inside: avoid; }
  .scroll { max-height: none; }
}
"""
)
