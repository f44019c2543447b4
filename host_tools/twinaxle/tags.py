"""Tags: numbers in hand-written firmware that a generator keeps true.

A tagged line is an assignment of one integer with a comment that says where the number comes from:

    _APPS1 = const(5)  # dbc: PedalsDriver.Apps1 [1 mV]
    _CREEP = const(12)  # cal: creep.torque [0.1 Nm] at most this much

`dbc` or `cal` is the kind, the word after it the path, the brackets hold the unit (written by the generator as well),
and anything after them is a free remark. The firmware pays nothing for such a number: `const` of a name with a leading
underscore is folded by the compiler. A hexadecimal number stays hexadecimal.

A resolver answers a path with the number and its unit; `rewrite` and `rewrite_files` do the rest.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from twinaxle.errors import UserError


@dataclass(frozen=True)
class Resolved:
    """What a path stands for: the integer to write and the unit for the comment ("" removes the brackets)."""

    value: int
    unit: str = ""


@dataclass(frozen=True)
class Stale:
    """A tagged line that does not say what its source says."""

    file: Path
    line: int
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: stale tag: found `{self.found.strip()}`, wanted `{self.wanted.strip()}`"


# Raises KeyError(reason) if the path names nothing.
Resolver = Callable[[str], Resolved]

_LINE = re.compile(
    r"^(?P<head>\s*\w+\s*=\s*)(?:const\((?P<const>-?\w+)\)|(?P<plain>-?\w+))"
    r"(?P<gap>\s*)#\s*(?P<kind>\w+):\s*(?P<path>[\w.:]+)(?P<unit>\s*\[[^\]]*\])?(?P<rest>.*)$"
)


def rewrite(text: str, kind: str, resolve: Resolver, where: str = "<text>") -> str:
    """The text with every number and unit of tags of this kind as `resolve` says.

    `where` names the file in errors. Raises UserError (file, line) for a tag that is not on an assignment of one
    integer, and for a path that `resolve` refuses with KeyError.
    """
    mark = re.compile(rf"^[^#'\"]*#\s*{re.escape(kind)}:\s*\w")
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if mark.match(line):
            lines[at] = _rewrite_line(line, resolve, f"{where}:{at + 1}")
    return "\n".join(lines)


def rewrite_files(paths: Iterable[Path], kind: str, resolve: Resolver, *, check: bool = False) -> list[Stale]:
    """Bring the tags of this kind in all files up to date; returns the lines that were stale.

    With `check` no file is written. Raises UserError as `rewrite` does.
    """
    stale: list[Stale] = []
    for path in sorted(paths):
        old = path.read_text(encoding="utf-8")
        new = rewrite(old, kind, resolve, str(path))
        if new == old:
            continue
        pairs = zip(old.split("\n"), new.split("\n"), strict=True)
        stale += [Stale(path, at, a, b) for at, (a, b) in enumerate(pairs, 1) if a != b]
        if not check:
            path.write_text(new, encoding="utf-8")
    return stale


def named_paths(paths: Iterable[Path], kind: str) -> set[str]:
    """Every path that a tag of this kind names in the files."""
    found = set()
    for path in paths:
        matches = map(_LINE.match, path.read_text(encoding="utf-8").splitlines())
        found |= {match["path"] for match in matches if match and match["kind"] == kind}
    return found


def _rewrite_line(line: str, resolve: Resolver, where: str) -> str:
    match = _LINE.match(line)
    number = (match["const"] or match["plain"]) if match else None
    if match is None or number is None or not _is_integer(number):
        raise UserError(f"{where}: a tag must stand after an assignment of one integer: `_NAME = const(5)  # dbc: ...`")
    try:
        resolved = resolve(match["path"])
    except KeyError as error:
        raise UserError(f"{where}: tag `{match['path']}`: {error.args[0]}") from None
    value = hex(resolved.value) if "x" in number.lower() else str(resolved.value)
    value = f"const({value})" if match["const"] else value
    unit = f" [{resolved.unit}]" if resolved.unit else ""
    return f"{match['head']}{value}{match['gap']}# {match['kind']}: {match['path']}{unit}{match['rest']}"


def _is_integer(text: str) -> bool:
    try:
        int(text, 0)
    except ValueError:
        return False
    return True
