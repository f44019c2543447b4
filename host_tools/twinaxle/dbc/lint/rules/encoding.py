"""Bytes and characters."""

import re
from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax.document import BOM, Document

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_LINE_END = re.compile(rb"\r\n|\n|\r")


@rule("byte-order-mark", Severity.ERROR, "the file begins with a byte order mark")
def byte_order_mark(document: Document) -> Iterator[Hit]:
    """cantools and others take it for a part of the first keyword."""
    if document.raw.startswith(BOM):
        yield Hit(0, "the file begins with a UTF-8 byte order mark: save it without")


@rule("control-character", Severity.ERROR, "control characters in the text")
def control_character(document: Document) -> Iterator[Hit]:
    for found in _CONTROL.finditer(document.text):
        code = ord(found[0][0])
        yield Hit(found.start(), f"control character 0x{code:02X}: remove it")


@rule("non-ascii", Severity.STYLE, "characters outside ASCII")
def non_ascii(document: Document) -> Iterator[Hit]:
    """One for each line. Vector's tools write Windows-1252, others UTF-8, and nothing in the file says which."""
    last_line = -1
    for found in _NON_ASCII.finditer(document.text):
        line = document.places.line(found.start())
        if line != last_line:
            yield Hit(found.start(), f"{found[0]} is not ASCII: tools disagree on its encoding, write it in ASCII")
        last_line = line


@rule("line-ends", Severity.STYLE, "different line ends in one file")
def line_ends(document: Document) -> Iterator[Hit]:
    returns, pairs, feeds = (document.raw.count(end) for end in (b"\r", b"\r\n", b"\n"))
    if returns in (0, feeds) and returns in (0, pairs):
        return  # all LF, or all CRLF
    first = ""
    for line, found in enumerate(_LINE_END.finditer(document.raw), 1):
        kind = {b"\r\n": "CRLF", b"\n": "LF", b"\r": "CR"}[found[0]]
        first = first or kind
        if kind != first or kind == "CR":
            wanted = first if first != "CR" else "LF"
            at = document.places.start(line)
            yield Hit(at, f"the line ends in {kind}: end all lines in {wanted}")
            return
