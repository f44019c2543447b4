"""A page with one plot that needs nothing else: style, script, picture and details are inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from twinaxle.plot.details import Detail
from twinaxle.plot.draw import draw_svg, plot_css, plot_script
from twinaxle.plot.picture import Picture

_STYLE = """body { margin: 1rem 1.5rem; font: 14px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.1rem; margin: 0 0 .3rem; } p { margin: .2rem 0; color: #626b75; } svg { max-width: 1600px; }
@media (prefers-color-scheme: dark) { body { background: #12171d; color: #e6edf3; } p { color: #98a3ae; } }
@media print { .screen { display: none; } }
"""
_HINT = (
    "Move over the plot to read all values; drag or turn the wheel to zoom, arrow keys to move, double click for all; "
    "y fits the value axes to what is shown; click for a mark to measure time from."
)


def plot_page(picture: Picture, details: Mapping[str, Detail], about: str) -> str:
    """The page. `about` is a line under the headline: what log, what time."""
    # "</" would end the script element.
    packed = json.dumps(details, separators=(",", ":"), ensure_ascii=True).replace("</", "<\\/")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><meta name="viewport"'
        ' content="width=device-width, initial-scale=1"/><meta name="color-scheme" content="light dark"/>'
        f"<title>{escape(picture.title)}</title>\n<style>{_STYLE}{plot_css()}</style></head>\n<body>"
        f"<h1>{escape(picture.title)}</h1><p>{escape(about)}</p>"
        f'{draw_svg(picture, standalone=False)}<p class="screen">{_HINT}</p>\n'
        f'<script type="application/json" id="detail-plot">{packed}</script>\n'
        f"<script>{plot_script()}</script></body></html>\n"
    )
