"""The sections of the file: which must be there, and in which order."""

from collections.abc import Iterator

from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.syntax import Document

SINGLE = ("VERSION", "NS_", "BS_", "BU_")
# Statements of one rank may stand in any order among themselves.
ORDER = (
    ("VERSION",), ("NS_",), ("BS_",), ("BU_",), ("VAL_TABLE_",), ("BO_", "SG_"), ("BO_TX_BU_",),
    ("EV_", "EV_DATA_", "ENVVAR_DATA_"), ("SGTYPE_", "SGTYPE_VAL_"), ("CM_",),
    ("BA_DEF_", "BA_DEF_REL_", "BA_DEF_SGTYPE_"), ("BA_DEF_DEF_", "BA_DEF_DEF_REL_"), ("BA_", "BA_REL_", "BA_SGTYPE_"),
    ("VAL_",), ("CAT_DEF_",), ("CAT_",), ("FILTER",),
    ("SIG_TYPE_REF_", "SIG_GROUP_", "SIG_VALTYPE_", "SIGTYPE_VALTYPE_", "SG_MUL_VAL_"),
)  # fmt: skip
RANK = {keyword: rank for rank, keywords in enumerate(ORDER) for keyword in keywords}


def _missing(document: Document, sections: tuple[str, ...]) -> Iterator[str]:
    present = {keyword.text for keyword in document.tree.keywords}
    return (section for section in sections if section not in present)


@rule("missing-section", Severity.ERROR, "BS_ or BU_ is missing")
def missing_section(document: Document) -> Iterator[Hit]:
    for section in _missing(document, ("BS_", "BU_")):
        yield Hit(0, f"there is no `{section}:`: the format requires it, even if it is empty")


@rule("missing-header", Severity.STYLE, "VERSION or NS_ is missing")
def missing_header(document: Document) -> Iterator[Hit]:
    for section in _missing(document, ("VERSION", "NS_")):
        yield Hit(0, f"there is no {section}: every tool writes it and some look for it")


@rule("repeated-section", Severity.ERROR, "a section that may come only once comes twice")
def repeated_section(document: Document) -> Iterator[Hit]:
    seen = set()
    for keyword in document.tree.keywords:
        if keyword.text in SINGLE:
            if keyword.text in seen:
                yield Hit(keyword.at, f"a second {keyword.text}: put all into the first")
            seen.add(keyword.text)


@rule("section-order", Severity.WARNING, "sections out of their order")
def section_order(document: Document) -> Iterator[Hit]:
    """Tells the first statement of each run that stands too late."""
    highest, late = "VERSION", ""
    for keyword in document.tree.keywords:
        if RANK[keyword.text] >= RANK[highest]:
            highest, late = keyword.text, ""
        elif keyword.text != late:
            yield Hit(keyword.at, f"{keyword.text} stands after {highest}: move it before")
            late = keyword.text
