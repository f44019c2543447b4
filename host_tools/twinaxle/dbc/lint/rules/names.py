"""Names of nodes, messages, signals, value tables and attributes."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document
from twinaxle.dbc.syntax.tokens import KEYWORDS
from twinaxle.dbc.syntax.tree import Name

LONGEST = 32  # characters; longer names go into the attributes SystemMessageLongSymbol and so on
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_C_KEYWORDS = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
    "true", "false", "class", "namespace", "new", "delete", "template", "this", "private", "public", "protected",
    "virtual", "operator", "try", "catch", "throw",
})  # fmt: skip


def _names(document: Document) -> Iterator[tuple[str, Name]]:
    """What it is and the name, for all that the file defines."""
    tree = document.tree
    for name in tree.nodes:
        yield "node", name
    for message in tree.messages:
        yield "message", message.name
        for signal in message.signals:
            yield "signal", signal.name
    for name in tree.environment_variables:
        yield "environment variable", name
    for table in tree.value_tables:
        yield "value table", table.name


@rule("bad-name", Severity.ERROR, "a name that is no C identifier")
def bad_name(document: Document) -> Iterator[Hit]:
    for what, name in _names(document):
        if not _IDENTIFIER.fullmatch(name.text):
            yield Hit(name.at, f"{what} {name.text}: a name has letters, digits and _ only and begins with no digit")


@rule("dbc-keyword", Severity.ERROR, "a name that is a keyword of DBC")
def dbc_keyword(document: Document) -> Iterator[Hit]:
    for what, name in _names(document):
        if name.text in KEYWORDS:
            yield Hit(name.at, f"{what} {name.text}: this is a keyword of DBC, choose another name")


@rule("c-keyword", Severity.STYLE, "a name that is a keyword of C or C++")
def c_keyword(document: Document) -> Iterator[Hit]:
    for what, name in _names(document):
        if name.text in _C_KEYWORDS:
            yield Hit(name.at, f"{what} {name.text}: a keyword of C or C++, generated code cannot use it")


@rule("long-name", Severity.WARNING, "a name of more than 32 characters")
def long_name(document: Document) -> Iterator[Hit]:
    for what, name in _names(document):
        if len(name.text) > LONGEST:
            text = f"{what} {name.text} has {len(name.text)} characters: at most {LONGEST} may stand here"
            yield Hit(name.at, text)


@rule("similar-names", Severity.WARNING, "names that differ only in upper and lower case")
def similar_names(document: Document) -> Iterator[Hit]:
    yield from _similar("node", document.tree.nodes)
    yield from _similar("message", (message.name for message in document.tree.messages))
    for message in document.tree.messages:
        yield from _similar("signal", (signal.name for signal in message.signals))


def _similar(what: str, names: Iterable[Name]) -> Iterator[Hit]:
    spellings: dict[str, set[str]] = defaultdict(set)
    for name in names:
        known = spellings[name.text.lower()]
        if known and name.text not in known:
            other = min(known)
            yield Hit(name.at, f"{what} {name.text} differs from {other} in case only: SavvyCAN takes them for one")
        known.add(name.text)
