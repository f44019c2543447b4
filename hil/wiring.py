"""The wiring harness between board and car: which pin leads where, read from the firmware's own board profile."""

from __future__ import annotations

import ast
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.paths import FIRMWARE, shown


def enable_pins(profile: str = "pybv11", folder: Path = FIRMWARE / "boards") -> dict[str, str]:
    """Pin of the board that drives each inverter's enable line: `{"front": ..., "rear": ...}`.

    Raises:
        UserError: there is no such board profile, or it doesn't say.
    """
    path = folder / f"{profile}.py"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{shown(path)}: cannot read the board profile: {error.strerror}") from error
    found = {
        statement.targets[0].id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
    }
    try:
        return {axle: str(found[f"ENABLE_{axle.upper()}"]) for axle in ("front", "rear")}
    except KeyError as error:
        raise UserError(f"{shown(path)}: the board profile does not say {error.args[0]}") from None
