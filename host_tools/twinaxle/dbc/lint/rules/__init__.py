"""The rules, a module for each group. Importing this fills the table."""

from twinaxle.dbc.lint.rules import (  # noqa: F401
    attributes,
    duplicates,
    e2e,
    encoding,
    identifiers,
    language,
    layout,
    multiplexing,
    names,
    references,
    scaling,
    sections,
    timing,
)
