"""Who finds the planted defects: this lint, cantools (strict), canmatrix.

`python -m tests.dbc.lint.compare` prints the table of docs/dbc.md; `--write` puts it there.
"""

import io
import logging
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from tests.dbc.lint.plants import PLANTS

DOCUMENT = Path(__file__).parents[3] / "docs" / "dbc.md"
BEGIN, END = "<!-- planted defects: begin -->", "<!-- planted defects: end -->"


def found_by_cantools(raw: bytes) -> bool:
    """True if cantools refuses the file in strict mode, or warns."""
    import cantools

    try:
        with _Warnings("cantools") as warnings:
            cantools.database.load_string(raw.decode("utf-8"), "dbc", strict=True)
    except Exception:
        return True
    return warnings.seen


def found_by_canmatrix(raw: bytes) -> bool:
    """True if canmatrix refuses the file, lists a load error, or warns."""
    import canmatrix.formats

    try:
        with _Warnings("canmatrix") as warnings:
            matrices = canmatrix.formats.load(io.BytesIO(raw), "dbc", dbcImportEncoding="utf-8")
    except Exception:
        return True
    return warnings.seen or any(matrix.load_errors for matrix in matrices.values())


class _Warnings(logging.Handler):
    """Catches what a library logs as a warning or worse, and what it prints."""

    def __init__(self, name: str) -> None:
        super().__init__(logging.WARNING)
        self._logger = logging.getLogger(name)
        self._printed = io.StringIO()
        self._redirects = (redirect_stdout(self._printed), redirect_stderr(self._printed))
        self._logged = False

    @property
    def seen(self) -> bool:
        return self._logged or bool(self._printed.getvalue())

    def emit(self, record: logging.LogRecord) -> None:
        self._logged = True

    def __enter__(self) -> "_Warnings":
        self._logger.addHandler(self)
        for redirect in self._redirects:
            redirect.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        for redirect in self._redirects:
            redirect.__exit__(None, None, None)
        self._logger.removeHandler(self)


def table() -> str:
    """The table of docs/dbc.md."""
    from twinaxle.dbc.lint import RULES

    rows = ["| planted defect | rule | severity | cantools | canmatrix |", "|---|---|---|---|---|"]
    both = [0, 0]
    for plant in PLANTS:
        raw = plant.raw()
        found = [found_by_cantools(raw), found_by_canmatrix(raw)]
        both = [count + one for count, one in zip(both, found, strict=True)]
        marks = " | ".join("yes" if one else "-" for one in found)
        rows.append(f"| {plant.what} | `{plant.rule}` | {RULES[plant.rule].severity} | {marks} |")
    rows.append(f"| **of {len(PLANTS)} found** | **{len(PLANTS)}** | | **{both[0]}** | **{both[1]}** |")
    return "\n".join(rows)


def replace_table(document: str) -> str:
    """The document with the table between its marks."""
    pattern = f"{re.escape(BEGIN)}.*{re.escape(END)}"
    return re.sub(pattern, lambda _: f"{BEGIN}\n{table()}\n{END}", document, flags=re.DOTALL)


if __name__ == "__main__":
    if "--write" in sys.argv:
        DOCUMENT.write_text(replace_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(table() + "\n")
