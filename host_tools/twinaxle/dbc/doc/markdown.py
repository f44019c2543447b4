"""A page as Markdown (GitHub's kind). Bit layouts are HTML tables, which it shows as they are."""

import re
from collections.abc import Iterator
from html import escape

from twinaxle.dbc.doc.page import BitLayout, Block, Cell, Heading, Link, Page, Paragraph, Segment, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")


def render(page: Page) -> str:
    """The Markdown text."""
    lines = [f"<!-- Generated from {page.source} by `twinaxle dbc doc`. Do not edit. -->", ""]
    for block in page.blocks:
        lines += [*_block(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {_text(block.text)}"
    elif isinstance(block, Paragraph):
        yield _text(block.text)
    elif isinstance(block, Table):
        yield _row([_text(cell) for cell in block.header])
        yield _row(["--:" if at in block.numbers else "---" for at in range(len(block.header))])
        for row in block.rows:
            yield _row([_cell(cell) for cell in row])
    else:
        yield from _bits(block)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if isinstance(cell, list):
        return ", ".join(_cell(one) for one in cell)
    if isinstance(cell, Link):
        return f"[{_text(cell.text)}](#{cell.anchor})"
    return _text(cell)


def _text(text: str) -> str:
    """Text without a meaning in Markdown, in one line. A _ inside a word has none."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return re.sub(r"(?<=\w)\\_(?=\w)", "_", escaped)


def _bits(layout: BitLayout) -> Iterator[str]:
    """A table with a row for each byte."""
    if layout.title:
        yield f"**{_text(layout.title)}**"
        yield ""
    yield "<table>"
    yield f"<tr><th>byte</th>{''.join(f'<th>{bit}</th>' for bit in range(7, -1, -1))}</tr>"
    for byte, row in enumerate(layout.rows):
        yield f"<tr><th>{byte}</th>{''.join(_segment(segment) for segment in row)}</tr>"
    yield "</table>"


def _segment(segment: Segment) -> str:
    names = " / ".join(escape(signal.name) for signal in segment.signals)
    span = f' colspan="{segment.width}"' if segment.width > 1 else ""
    return f"<td{span}>{names}</td>"
