"""Draws a picture as one SVG: marks, states as bands, panels of lines, one shared time axis.

The geometry is fixed; `plot.js` zooms by changing transforms and reads values under the cursor from the paths, or draws
from details where there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinaxle.plot.bands import Stretch
from twinaxle.plot.lines import RESOLUTION, axis_range, path_data
from twinaxle.plot.picture import Band, Line, Panel, Picture, PictureMark
from twinaxle.plot.scale import axis_number, number, ticks, time_step_s

WIDTH = 1200
LEFT = 58
PLOT_WIDTH = 902
LEGEND = LEFT + PLOT_WIDTH + 16
COLUMNS = 2 * PLOT_WIDTH
"""Columns to which long series are thinned: two a pixel, so that a first zoom still shows something."""

_CHARACTER = 6.1  # width of an average character of the plot's 11 px text
_LANE = 15
_LANES = 3
_BAND = 17
_BAND_GAP = 4
_PANEL = 92
_TALL = 138
_TITLE = 24
_ROW = 15  # from one line of a legend to the next
_LONG_ROW = 27
_DENSE = 8000  # characters of a path from which on it is drawn with a thin pen
_PLOT_CSS = Path(__file__).with_name("plot.css")
_PLOT_JS = Path(__file__).with_name("plot.js")


def plot_css() -> str:
    """The style of plots, for the page or for a picture that stands alone."""
    return _PLOT_CSS.read_text(encoding="utf-8")


def plot_script() -> str:
    """The script that makes the plots of a page alive."""
    return _PLOT_JS.read_text(encoding="utf-8")


def draw_svg(picture: Picture, *, ident: str = "plot", standalone: bool = True) -> str:
    """Draw a picture.

    Args:
        picture: what to draw. Its title is the headline of a picture that stands alone, else for screen readers.
        ident: prefix of ids; must differ between plots of one page.
        standalone: True for a file of its own (with style and background), False for a part of a page.
    """
    return _Drawing(picture, ident, standalone).svg()


class _Drawing:
    """One drawing under construction; `_y` is how far down it has come."""

    def __init__(self, picture: Picture, ident: str, standalone: bool) -> None:
        self._picture = picture
        self._title = picture.title
        self._ident = escape(ident)
        self._standalone = standalone
        self._intervals = picture.intervals
        self._scale = PLOT_WIDTH / self._intervals
        self._out: list[str] = []
        self._grid: list[tuple[float, float]] = []
        self._y = 0.0

    def svg(self) -> str:
        """The whole drawing."""
        if self._standalone and self._title:
            self._out.append(f'<text class="headline" x="{LEFT}" y="18">{escape(self._title)}</text>')
            self._y += 30
        top = self._y
        placed = _placed(self._picture.marks, self._x_of)
        self._y += _LANE * (1 + max((lane for _, lane, _ in placed), default=-1)) + 4
        lanes_end = self._y
        for band in self._picture.bands:
            self._band(band)
        for panel in self._picture.panels:
            self._panel(panel)
        bottom = self._y
        axis = self._time_axis(bottom)
        marks = self._mark_lines(placed, top, lanes_end, bottom)
        height = bottom + 34
        fine = ' data-fine="1"' if self._picture.is_continuous else ""
        grid = ";".join(f"{first:g},{last:g}" for first, last in self._grid)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {height:g}" role="img"'
            f' aria-label="{escape(self._title)}" data-n="{self._intervals}" data-id="{self._ident}"'
            f' data-start="{self._picture.start_s:.15g}" data-period="{self._picture.period_s:.9g}"{fine}'
            f' data-left="{LEFT}" data-width="{PLOT_WIDTH}" data-top="{lanes_end:g}"'
            f' data-bottom="{bottom:g}" data-grid="{grid}">'
        )
        if self._standalone:
            head += f"<style>{plot_css()}</style>" + f'<rect class="paper" width="{WIDTH}" height="{height:g}"/>'
        clip = (
            f'<defs><clipPath id="{self._ident}-all"><rect x="{LEFT}" y="0" width="{PLOT_WIDTH}" height="{height:g}"/>'
            "</clipPath></defs>"
        )
        return head + clip + axis + "".join(self._out) + marks + "</svg>"

    def _x_of(self, place: float) -> float:
        return LEFT + place * self._scale

    def _band(self, band: Band) -> None:
        y = self._y
        boxes = "".join(self._box(stretch, y) for stretch in band.stretches)
        texts = "".join(self._box_text(stretch, y) for stretch in band.stretches)
        states = _fitting(", ".join(dict.fromkeys(stretch.name for stretch in band.stretches)), band.label)
        self._out.append(
            f'<g class="band" clip-path="url(#{self._ident}-all)"{_detail(band.ident)} data-top="{y:g}"><g class="z"'
            f' data-y="0" data-sy="1" transform="translate({LEFT} 0) scale({self._scale:.9g} 1)">{boxes}</g>{texts}</g>'
            f'<text class="name" x="{LEGEND}" y="{y + 12.5:g}">{escape(band.label)}</text>'
            f'<text class="value" x="{WIDTH - 4}" y="{y + 12.5:g}" data-d="{escape(states)}">{escape(states)}</text>'
        )
        self._y += _BAND + _BAND_GAP

    def _box(self, stretch: Stretch, y: float) -> str:
        # Up to the sample of the next state, so that bands have no seams.
        last = min(stretch.last, self._intervals)
        return (
            f'<rect class="{stretch.tone}" x="{stretch.first:g}" y="{y:g}" width="{max(0, last - stretch.first):g}"'
            f' height="{_BAND}"><title>{escape(stretch.name)}</title></rect>'
        )

    def _box_text(self, stretch: Stretch, y: float) -> str:
        width = (stretch.last - stretch.first) * self._scale
        needed = len(stretch.name) * _CHARACTER + 8
        hidden = "" if width >= needed else ' display="none"'
        return (
            f'<text class="state" x="{LEFT + stretch.first * self._scale + 5:.1f}" y="{y + 12.5:g}"'
            f' data-a="{stretch.first:g}" data-b="{stretch.last:g}" data-w="{needed:.0f}"{hidden}>'
            f"{escape(stretch.name)}</text>"
        )

    def _panel(self, panel: Panel) -> None:
        top = self._y + _TITLE
        pitch = _LONG_ROW if self._picture.is_continuous else _ROW
        height = max(_TALL if panel.tall else _PANEL, pitch * len(panel.lines) + 8)
        low, high, step = axis_range(panel)
        clip = f"{self._ident}-{int(top)}"
        self._out.append(
            f'<text class="title" x="{LEFT}" y="{top - 7:g}">{escape(panel.title)}'
            f'<tspan class="unit" dx="6">{escape(panel.unit)}</tspan></text>'
            f'<clipPath id="{clip}"><rect x="{LEFT}" y="{top - 1:g}" width="{PLOT_WIDTH}" height="{height + 2:g}"/>'
            "</clipPath>"
            f'<rect class="frame" x="{LEFT}" y="{top:g}" width="{PLOT_WIDTH}" height="{height:g}"/>'
        )
        self._out.append(f'<g class="yt" data-y="{top:g}" data-h="{height:g}">')
        for tick in ticks(low, high, step):
            y = top + (high - tick) / (high - low) * height
            kind = "zero" if tick == 0.0 and low < 0.0 else "grid"
            self._out.append(
                f'<path class="{kind}" d="M{LEFT} {y:.1f}h{PLOT_WIDTH}"/>'
                f'<text class="tick y" x="{LEFT - 6}" y="{y + 3.5:.1f}">{axis_number(tick, step)}</text>'
            )
        self._out.append("</g>")
        scale_y = height / RESOLUTION
        self._out.append(
            f'<g clip-path="url(#{clip})"><g class="z" data-y="{top:g}" data-sy="{scale_y:.9g}"'
            f' transform="translate({LEFT} {top:g}) scale({self._scale:.9g} {scale_y:.9g})">'
        )
        for line in panel.lines:
            path = path_data(line.values, low, high, COLUMNS, line.places)
            dense = " dense" if len(path) > _DENSE else ""
            self._out.append(
                f'<path class="{_classes(line)}{dense}" d="{path}" data-lo="{low:g}" data-hi="{high:g}"'
                f' data-step="{step:g}" data-unit="{escape(line.unit)}"{_detail(line.ident)}/>'
            )
        self._out.append("</g></g>")
        for row, line in enumerate(panel.lines):
            self._legend(line, top + 9 + pitch * row)
        self._grid.append((top, top + height))
        self._y = top + height

    def _legend(self, line: Line, y: float) -> None:
        finite = line.values[np.isfinite(line.values)]
        extent = f"{_extent(finite)} {line.unit}".rstrip() if len(finite) else "no value"
        # Names of signals are long: their values stand below them.
        value_y = y + 4 + (_LONG_ROW - _ROW if self._picture.is_continuous else 0)
        self._out.append(
            f'<path class="{_classes(line)} key" d="M{LEGEND} {y:g}h20"/>'
            f'<text class="name" x="{LEGEND + 26}" y="{y + 4:g}">{escape(line.label)}</text>'
            f'<text class="value" x="{WIDTH - 4}" y="{value_y:g}" data-d="{escape(extent)}">{escape(extent)}</text>'
        )

    def _time_axis(self, bottom: float) -> str:
        start_s = self._picture.start_s
        end_s = start_s + self._intervals * self._picture.period_s
        step = time_step_s(end_s - start_s, 10)
        grid, labels = [], []
        for tick in ticks(start_s, end_s, step):
            x = self._x_of((tick - start_s) / self._picture.period_s)
            grid.append("".join(f"M{x:.1f} {top:g}V{end:g}" for top, end in self._grid))
            labels.append(f'<text class="tick x" x="{x:.1f}" y="{bottom + 15:g}">{axis_number(tick, step)}</text>')
        return (
            f'<path class="grid xg" d="{"".join(grid)}"/><g class="xt" data-y="{bottom + 15:g}">{"".join(labels)}</g>'
            f'<text class="tick x" x="{LEFT + PLOT_WIDTH / 2:g}" y="{bottom + 30:g}">time in s</text>'
        )

    def _mark_lines(
        self, placed: list[tuple[PictureMark, int, float]], top: float, lanes_end: float, bottom: float
    ) -> str:
        parts = []
        for mark, lane, text_x in placed:
            x = self._x_of(mark.place)
            y = top + _LANE * max(lane, 0) + 11
            hidden = ' display="none"' if lane < 0 else ""
            start = lanes_end - 6 if lane < 0 else y - 9
            parts.append(
                f'<g class="mark {mark.kind}" data-i="{mark.place:.9g}"><title>{escape(mark.title)}</title>'
                f'<path d="M{x:.1f} {start:g}V{bottom:g}"/>'
                f'<text x="{text_x:.1f}" y="{y:g}" data-w="{_text_width(mark.text):.0f}"{hidden}>'
                f"{escape(mark.text)}</text></g>"
            )
        lanes = round((lanes_end - top - 4) / _LANE)
        return (
            f'<g class="marks" clip-path="url(#{self._ident}-all)" data-lane="{_LANE}" data-lanes="{lanes}"'
            f' data-y="{top:g}">{"".join(parts)}</g>'
        )


def _placed(marks: Sequence[PictureMark], x_of: Callable[[float], float]) -> list[tuple[PictureMark, int, float]]:
    """Each mark with the lane of its text (-1: no room, line only) and where the text starts."""
    free = [float(LEFT - 1)] * _LANES
    end = LEFT + PLOT_WIDTH
    placed = []
    for mark in marks:
        x = x_of(mark.place)
        if not LEFT - 0.5 <= x <= end + 0.5:
            continue
        width = _text_width(mark.text)
        text_x = x + 4 if x + 4 + width <= end else x - 4 - width
        lane = next((lane for lane in range(_LANES) if free[lane] <= min(x, text_x)), -1)
        if lane >= 0:
            free[lane] = max(x, text_x + width) + 8
        placed.append((mark, lane, text_x))
    return placed


def _classes(line: Line) -> str:
    return f"line {line.style}{' dashed' if line.dashed else ''}"


def _detail(ident: str) -> str:
    return f' data-detail="{escape(ident)}"' if ident else ""


def _extent(values: NDArray[np.float64]) -> str:
    low, high = number(float(values.min()), 3), number(float(values.max()), 3)
    return low if low == high else f"{low} … {high}"


def _text_width(text: str) -> float:
    return len(text) * _CHARACTER


def _fitting(text: str, label: str) -> str:
    """`text`, or nothing when it doesn't fit beside `label`."""
    return text if _text_width(text) <= WIDTH - 4 - LEGEND - 10 - _text_width(label) else ""
