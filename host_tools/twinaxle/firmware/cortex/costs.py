"""The table of costs, `costs.toml`: instructions on a Cortex-M4 of what is not machine code of the firmware."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


@functools.cache
def load_costs() -> dict[str, Any]:
    """The table as it stands in the file: by section, and there by row."""
    return tomllib.loads((Path(__file__).parent / "costs.toml").read_text(encoding="utf-8"))


def sum_rows(section: str, times: Mapping[str, int]) -> tuple[float, float]:
    """(instructions, absolute error) of rows of `driver` or `interrupt`, each so many `times`."""
    rows = load_costs()[section]
    instructions = {name: count * rows[name]["instructions"] for name, count in times.items()}
    return sum(instructions.values()), sum(found * rows[name]["error"] for name, found in instructions.items())
