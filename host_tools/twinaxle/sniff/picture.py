"""The screen as an SVG: text in a fixed grid, light or dark as the reader's page is."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from twinaxle.files import write_text
from twinaxle.sniff.spans import Line, Style

_CELL_W, _CELL_H = 7.23, 16
_FONT_PX = 12
_MARGIN = 10

_CLASSES = {style: style.name.lower() for style in Style}

_CSS = """
.sniff { --paper: #ffffff; --ink: #1b1f24; --dim: #7d8790; --good: #1a7f37; --warn: #9a6700; --bad: #c8102e;
  --changed: #0550ae; --bar: #1a7f37; --regen: #0072b2; --title: #e1e5ea; --row: #ddeeff; }
@media (prefers-color-scheme: dark) { .sniff { --paper: #0d1117; --ink: #e6edf3; --dim: #7d8790; --good: #56d364;
  --warn: #e3b341; --bad: #ff6b6b; --changed: #58d0ff; --bar: #56d364; --regen: #4aa8e8; --title: #30363d;
  --row: #1f3450; } }
.sniff text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--ink);
  white-space: pre; }
.sniff .paper { fill: var(--paper); stroke: var(--title); } .sniff .selected { fill: var(--row); }
.sniff .bar { fill: var(--title); } .sniff .dim { fill: var(--dim); } .sniff .strong { font-weight: bold; }
.sniff .good { fill: var(--good); } .sniff .warn { fill: var(--warn); }
.sniff .bad { fill: var(--bad); font-weight: bold; } .sniff .changed { fill: var(--changed); font-weight: bold; }
.sniff .drive { fill: var(--bar); } .sniff .regen { fill: var(--regen); } .sniff .key { fill: var(--changed); }
""".strip()


def svg(lines: Sequence[Line], columns: int, label: str = "twinaxle sniff") -> str:
    """The screen as a picture that stands alone."""
    width = round(columns * _CELL_W + 2 * _MARGIN)
    height = len(lines) * _CELL_H + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sniff" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}"><style>{_CSS}</style>',
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
    ]
    for row, line in enumerate(lines):
        top = _MARGIN + row * _CELL_H
        if line.selected:
            parts.append(_box("selected", 0, columns, top))
        at = 0
        for text, style in line.spans:
            if style is Style.TITLE:
                parts.append(_box("bar", at, len(text), top))
            if text.strip():
                lead = len(text) - len(text.lstrip())
                shown = text.strip()
                x = _MARGIN + (at + lead) * _CELL_W
                # The length keeps columns in line whatever font the reader has.
                parts.append(
                    f'<text class="{_CLASSES[style]}" x="{x:.2f}" y="{top + _FONT_PX}" '
                    f'textLength="{len(shown) * _CELL_W:.2f}" lengthAdjust="spacingAndGlyphs">{escape(shown)}</text>'
                )
            at += len(text)
    parts.append("</svg>\n")
    return "\n".join(parts)


def _box(kind: str, at: int, columns: int, top: float) -> str:
    x = _MARGIN + at * _CELL_W
    return f'<rect class="{kind}" x="{x:.2f}" y="{top}" width="{columns * _CELL_W:.2f}" height="{_CELL_H}"/>'


def write(path: Path, lines: Sequence[Line], columns: int) -> None:
    """Write the picture. Raises UserError if the file cannot be written."""
    write_text(path, svg(lines, columns))
