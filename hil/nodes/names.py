"""Names that a test gives, checked against what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from twinaxle.errors import UserError


def pick(name: str, known: Iterable[str], what: str) -> str:
    """The name itself if it is known.

    Raises:
        UserError: unknown; the message lists the nearest names, or all if none is near.
    """
    names = list(known)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"near names: {', '.join(near)}" if near else f"known: {', '.join(sorted(names)) or 'none'}"
    raise UserError(f"no {what} is called '{name}'; {hint}")
