"""Keeps tagged constants of the hand-written firmware true.

A line of the form

    _APPS1 = const(5)  # dbc: PedalsDriver.Apps1 [1 mV]

carries a tag: its kind (`dbc` or `cal`), the name of what it stands for, and the unit. The number and the unit come from
the protocol database or the calibration, so that a slot costs nothing at run time and is never wrong. The text behind
the unit is the author's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.paths import FIRMWARE, shown

Resolve = Callable[[str], tuple[int, str]]
"""Name -> (number, unit). Raises UserError for a name that does not exist."""

_TAG = re.compile(
    r"^(?P<head>\s*\w+ = const\()(?P<number>[^)]*)(?P<middle>\)\s*#\s*)(?P<kind>dbc|cal):\s*(?P<name>[\w.]+)"
    r"(?:\s*\[(?P<unit>[^\]]*)\])?(?P<rest>.*)$"
)


@dataclass(frozen=True)
class Tag:
    """A tagged line and what it should be."""

    path: Path
    line: int
    """From 1."""
    text: str
    wanted: str

    @property
    def is_stale(self) -> bool:
        """Whether number or unit are not those of the source."""
        return self.text != self.wanted

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.line}: stale: {self.text.strip()!r} should be {self.wanted.strip()!r}"


def find_tags(kind: str, resolve: Resolve, folder: Path = FIRMWARE) -> list[Tag]:
    """All tags of `kind` in the Python files under `folder`, by file and line.

    Raises UserError, with file and line, for a tag that names nothing and for a comment that looks like a tag but does
    not stand behind `NAME = const(...)`.
    """
    tags = []
    for path in sorted(folder.rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            match = _TAG.match(line)
            if match is None:
                if re.search(rf"#\s*{kind}:\s", line):
                    raise UserError(f"{shown(path)}:{number}: a `{kind}:` tag stands behind `NAME = const(...)` only.")
            elif match["kind"] == kind:
                try:
                    value, unit = resolve(match["name"])
                except UserError as error:
                    raise UserError(f"{shown(path)}:{number}: {error}") from error
                tags.append(Tag(path, number, line, _line(match, value, unit)))
    return tags


def rewrite(kind: str, resolve: Resolve, folder: Path = FIRMWARE) -> list[Path]:
    """Put the true number and unit into every stale tag of `kind`. Returns the files changed. Raises as `find_tags`."""
    stale = [tag for tag in find_tags(kind, resolve, folder) if tag.is_stale]
    changed: list[Path] = []
    for path in sorted({tag.path for tag in stale}):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        for tag in (tag for tag in stale if tag.path == path):
            old = lines[tag.line - 1]
            lines[tag.line - 1] = tag.wanted + old[len(old.rstrip("\r\n")) :]
        path.write_text("".join(lines), encoding="utf-8")
        changed.append(path)
    return changed


def stale(kind: str, resolve: Resolve, folder: Path = FIRMWARE) -> Iterator[str]:
    """One message, `file:line: ...`, for every stale tag of `kind`. Raises as `find_tags`."""
    return (str(tag) for tag in find_tags(kind, resolve, folder) if tag.is_stale)


def _line(match: re.Match[str], value: int, unit: str) -> str:
    # A number that is written in another base stays as it is while it is true.
    try:
        number = match["number"] if int(match["number"], 0) == value else str(value)
    except ValueError:
        number = str(value)
    return f"{match['head']}{number}{match['middle']}{match['kind']}: {match['name']} [{unit}]{match['rest']}"
