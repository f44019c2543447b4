"""Reads a TOML file and knows on which line each key stands, which `tomllib` does not tell."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError
from twinaxle.paths import shown

_TABLE = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\- ]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\- ]+?)\s*=")


@dataclass(frozen=True)
class TomlFile:
    """The content of a TOML file with the lines of its keys."""

    path: Path
    content: dict[str, Any]
    lines: dict[str, int]
    """Dotted key or table -> line number from 1."""

    def where(self, key: str) -> str:
        """`file:line` of a dotted key; of the nearest table around it where the key itself is not there."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        line = self.lines.get(key)
        return shown(self.path) if line is None else f"{shown(self.path)}:{line}"

    def error(self, key: str, what: str) -> UserError:
        """An error about `key`, with the place where it stands."""
        return UserError(f"{self.where(key)}: {key}: {what}")


def read_toml(path: Path) -> TomlFile:
    """Read `path`. Raises UserError with file and line where it cannot be read or is not TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{shown(path)}: there is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{shown(path)}: cannot be read: {error}.") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib says "Expected ... (at line 3, column 5)" or "(at end of document)".
        said = str(error)
        place = re.search(r" \(at line (\d+), column (\d+)\)$", said)
        line = place[1] if place else str(len(text.splitlines()))
        message = said[: place.start()] if place else said
        raise UserError(f"{shown(path)}:{line}: not valid TOML: {message}.") from error
    return TomlFile(path, content, _key_lines(text))


def _key_lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _TABLE.match(line):
            table = match[1].replace(" ", "")
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            key = match[1].replace(" ", "")
            lines.setdefault(f"{table}.{key}" if table else key, number)
    return lines
