"""What the virtual board charges for computing: the upper ends of what was counted, so that nothing is flattered."""

import tomllib
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.cortex.count import Count
from twinaxle.firmware.cost import Estimate
from twinaxle.paths import ROOT, shown

FILE = ROOT / "hil" / "board" / "cost.toml"
_ROUND_US = 10


def charged_us(counted: Count) -> dict[str, int]:
    """Time of the worst tick and of the interrupt of one received frame, us."""
    return {"tick_cost_us": _rounded_up(counted.worst_tick), "rx_cost_us": _rounded_up(counted.worst_frame)}


def _rounded_up(value: Estimate) -> int:
    return -(-round(value.time_us * (1 + value.error)) // _ROUND_US) * _ROUND_US


def write(counted: Count, path: Path = FILE) -> None:
    """Write what the virtual board charges."""
    lines = [
        "# What the virtual board charges for computing, written by `twinaxle firmware count --write`: the upper ends",
        "# of the worst tick and of the interrupt of one received frame.",
        *(f"{key} = {value}" for key, value in charged_us(counted).items()),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare(counted: Count, path: Path = FILE) -> list[str]:
    """What the file charges that is less than what was counted, or far more; empty if all fits.

    Raises UserError where the file cannot be read.
    """
    try:
        charged = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{shown(path)}: {error}; `twinaxle firmware count --write` makes it.") from error
    wrong = []
    for key, least in charged_us(counted).items():
        found = charged.get(key)
        if not isinstance(found, int) or not least <= found <= 1.5 * least:
            wrong.append(f"{shown(path)}: {key} = {found}, counted {least} us: `twinaxle firmware count --write`")
    return wrong
