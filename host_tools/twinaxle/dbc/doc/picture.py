"""The bit layout of a message as an inline SVG picture."""

from collections.abc import Iterator
from html import escape

from twinaxle.dbc.doc.page import BitLayout, Segment
from twinaxle.dbc.syntax import Signal

BIT_WIDTH = 84
ROW_HEIGHT = 30
LEFT = 44
TOP = 24
CHARACTER = 7.1  # width in the picture's font
HUES = 8


def svg(layout: BitLayout) -> str:
    """The picture: bytes from top to bottom, bits from 7 on the left to 0 on the right."""
    width, height = LEFT + 8 * BIT_WIDTH + 1, TOP + ROW_HEIGHT * len(layout.rows) + 1
    return "\n".join(_lines(layout, width, height))


def _lines(layout: BitLayout, width: int, height: int) -> Iterator[str]:
    title = escape(f"Bit layout, {layout.title}" if layout.title else "Bit layout")
    yield f'<svg class="bits" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">'
    for bit in range(8):
        yield f'<text class="scale" x="{LEFT + (7 - bit + 0.5) * BIT_WIDTH:g}" y="{TOP - 8}">{bit}</text>'
    hues: dict[int, int] = {}
    for byte, row in enumerate(layout.rows):
        top = TOP + ROW_HEIGHT * byte
        yield f'<text class="scale" x="{LEFT / 2:g}" y="{top + ROW_HEIGHT / 2 + 4:g}">{byte}</text>'
        for segment in row:
            yield from _segment(segment, byte, top, hues)
    yield "</svg>"


def _segment(segment: Segment, byte: int, top: int, hues: dict[int, int]) -> Iterator[str]:
    left, width = LEFT + (7 - segment.high) * BIT_WIDTH, segment.width * BIT_WIDTH
    kind = "unused"
    if segment.signals:
        first = id(segment.signals[0])
        kind = "clash" if len(segment.signals) > 1 else f"hue{hues.setdefault(first, len(hues)) % HUES}"
    yield f'<g class="{kind}"><rect x="{left}" y="{top}" width="{width}" height="{ROW_HEIGHT}"/>'
    if segment.signals:
        tip = "; ".join(_tip(signal) for signal in segment.signals)
        yield f"<title>{escape(tip)} (byte {byte}, bits {segment.high}..{segment.low})</title>"
        name = _fitting(" / ".join(signal.name for signal in segment.signals), width)
        shade = "" if segment.is_largest else ' class="again"'
        yield f'<text{shade} x="{left + width / 2:g}" y="{top + ROW_HEIGHT / 2 + 4:g}">{escape(name)}</text>'
    yield "</g>"


def _fitting(name: str, width: int) -> str:
    """The name, cut to what has room."""
    room = int((width - 6) / CHARACTER)
    return name if len(name) <= room else name[: room - 1] + "…"


def _tip(signal: Signal) -> str:
    order = "Motorola" if signal.is_big_endian else "Intel"
    return f"{signal.name}: start bit {signal.line.start}, {signal.line.length} bits, {order}"
