"""`twinaxle dbc doc`: a page on a protocol, made from its DBC, as Markdown or self-contained HTML."""

from twinaxle.dbc.doc import html, markdown
from twinaxle.dbc.doc.content import page
from twinaxle.dbc.doc.page import Page

__all__ = ["Page", "html", "markdown", "page"]
