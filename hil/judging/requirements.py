"""The register of requirements: what each asks for in short, and whether the project claims to meet it.

The register is `hil/requirements.toml`. Tests name requirements with `@pytest.mark.req("SF-03")`, measurements with
`req=`; both are checked against it, so that a misspelt id is an error and not a hole in the coverage.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError

REGISTER = Path(__file__).parents[1] / "requirements.toml"
_ID = re.compile(r"[A-Z]{2}-\d{2}")


@dataclass(frozen=True)
class Requirement:
    """One requirement: `req_id` such as "SF-03", the title of its group, its text in short."""

    req_id: str
    group: str
    text: str
    claimed: bool


def load_requirements(path: Path = REGISTER) -> dict[str, Requirement]:
    """Read a register, in the order of the file.

    Raises:
        UserError: the file is missing, not TOML, or an entry is incomplete; the message names the entry.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot read the register of requirements: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a TOML file: {error}") from error
    groups = _table(document, "group", path)
    entries = _table(document, "requirement", path)
    if not entries:
        raise UserError(f"{path}: holds no [requirement.XX-00] entry")
    return {req_id: _requirement(req_id, entry, groups, path) for req_id, entry in entries.items()}


@cache
def requirements() -> dict[str, Requirement]:
    """The project's own register, read once."""
    return load_requirements()


def check_ids(req_ids: Iterable[str], where: str, register: Mapping[str, Requirement] | None = None) -> tuple[str, ...]:
    """The ids as a tuple, each known to the register (the project's own unless given).

    Raises:
        UserError: an unknown id; `where` says who named it.
    """
    known = requirements() if register is None else register
    ids = tuple(req_ids)
    for req_id in ids:
        if req_id not in known:
            raise UserError(f"{where}: unknown requirement {req_id!r}; the known ones are in {REGISTER.name}")
    return ids


def _table(document: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    table = document.get(key, {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: '{key}' must be a table")
    return table


def _requirement(req_id: str, entry: Any, groups: Mapping[str, Any], path: Path) -> Requirement:
    where = f"{path}: [requirement.{req_id}]"
    if not _ID.fullmatch(req_id):
        raise UserError(f"{where}: an id is two letters, a dash and two digits, such as SF-03")
    if not isinstance(entry, dict):
        raise UserError(f"{where}: must be a table with 'text' and 'claimed'")
    unknown = sorted(set(entry) - {"text", "claimed"})
    if unknown:
        raise UserError(f"{where}: unknown key {unknown[0]!r}; it has 'text' and 'claimed'")
    text, claimed = entry.get("text"), entry.get("claimed")
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"{where}: 'text' is missing")
    if not isinstance(claimed, bool):
        raise UserError(f"{where}: 'claimed' must be true or false")
    group = groups.get(req_id[:2])
    if not isinstance(group, dict) or not isinstance(group.get("title"), str):
        raise UserError(f"{where}: [group.{req_id[:2]}] with a 'title' is missing")
    return Requirement(req_id, group["title"], text.strip(), claimed)
