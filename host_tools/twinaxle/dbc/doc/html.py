"""A page as one HTML file that needs nothing else."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from twinaxle.dbc.doc.page import BitLayout, Block, Cell, Heading, Link, Page, Paragraph, Table
from twinaxle.dbc.doc.picture import svg

STYLE = Path(__file__).with_name("page.css")


def render(page: Page) -> str:
    """The HTML text."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield "<!doctype html>"
    yield f"<!-- Generated from {escape(page.source)} by `twinaxle dbc doc`. Do not edit. -->"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(page.title)}</title>"
    yield f"<style>\n{STYLE.read_text(encoding='utf-8')}</style></head><body>"
    in_section = False
    for block in page.blocks:
        if isinstance(block, Heading) and block.level > 1:
            yield from ["</section>"] if in_section else []
            yield f'<section id="{escape(block.anchor)}">'
            in_section = True
        yield from _block(block)
    yield from ["</section>"] if in_section else []
    yield "</body></html>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        text = escape(block.text)
        linked = f'<a href="#{escape(block.anchor)}">{text}</a>' if block.anchor else text
        yield f"<h{block.level}>{linked}</h{block.level}>"
    elif isinstance(block, Paragraph):
        yield f"<p>{escape(block.text)}</p>"
    elif isinstance(block, Table):
        yield from _table(block)
    else:
        yield from _bits(block)


def _bits(layout: BitLayout) -> Iterator[str]:
    if layout.title:
        yield f"<h3>{escape(layout.title)}</h3>"
    yield svg(layout)


def _table(table: Table) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    cells = "".join(f"<th{_kind(table, at)}>{escape(cell)}</th>" for at, cell in enumerate(table.header))
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    for row in table.rows:
        cells = "".join(f"<td{_kind(table, at)}>{_cell(cell)}</td>" for at, cell in enumerate(row))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _kind(table: Table, column: int) -> str:
    return ' class="n"' if column in table.numbers else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, list):
        return ", ".join(_cell(one) for one in cell)
    if isinstance(cell, Link):
        return f'<a href="#{escape(cell.anchor)}">{escape(cell.text)}</a>'
    return escape(cell)
