"""Counts the instructions of a recorded drive on the emulated Cortex-M4 (RT-01), and keeps what the firmware sends.

What is counted is exact: the machine code of the viper functions, instruction by instruction, as mpy-cross wrote it for
the board. What these functions call in MicroPython's runtime is charged by `costs.toml`. What MicroPython interprets
is not in here; `twinaxle.firmware.cost` estimates it from times.
"""

import os
import sys
import types
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from twinaxle.errors import UserError
from twinaxle.firmware.cost import Recording, as_bytes
from twinaxle.paths import FIRMWARE

TARGET = Path(__file__).parents[1] / "target"
_SETTLE = 5
"""Periods at the start that do not count as the worst: before them the firmware sets itself up."""


@dataclass(frozen=True)
class Function:
    """A viper function: instructions and calls in a mean period."""

    name: str
    instructions: float
    calls: float


@dataclass(frozen=True)
class Count:
    """Instructions in a control period with its receive interrupts."""

    periods: int
    executed: tuple[int, ...]
    """Of machine code, for each period."""
    charged: tuple[int, ...]
    """For calls into the runtime, for each period."""
    functions: tuple[Function, ...]
    """The most expensive first, without what they call."""
    runtime: dict[str, float]
    """Charged for each kind of call in a mean period."""
    sent: bytes
    """What the firmware sent, in the form of target/board/machine.py."""

    @property
    def mean(self) -> float:
        """Mean of a period, machine code and runtime."""
        return (sum(self.executed) + sum(self.charged)) / self.periods

    @property
    def worst(self) -> int:
        """Most in a period, machine code and runtime."""
        both = [a + b for a, b in zip(self.executed, self.charged, strict=True)]
        return max(both[_SETTLE:] or both)


def count(recording: Recording, firmware: Path = FIRMWARE) -> Count:
    """Run the firmware over `recording` on the emulated board.

    Raises UserError without the package `unicorn`, and where the firmware does not compile.
    """
    try:
        from twinaxle.firmware.cortex.world import World
    except ImportError as error:
        raise UserError(f"counting instructions needs the package {error.name}: `make setup` installs it.") from None
    world = World([firmware, TARGET / "board", TARGET], _modules())
    play = world.load("play_log").play
    app = world.load("vcu.app")
    machine = world.machine
    machine.reset_counts()
    totals = [(0, 0)]

    def after(_: int) -> None:
        totals.append((machine.executed.total(), machine.charged.total()))

    sent = bytes(play(app, as_bytes(recording), after))
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(totals)]
    periods = len(steps)
    return Count(
        periods=periods,
        executed=tuple(step[0] for step in steps),
        charged=tuple(step[1] for step in steps),
        functions=tuple(
            Function(name, found / periods, machine.calls[name] / periods)
            for name, found in machine.executed.most_common()
        ),
        runtime={what: found / periods for what, found in machine.charged.most_common()},
        sent=sent,
    )


def _modules() -> dict[str, types.ModuleType]:
    """MicroPython's own modules that the firmware uses, for the emulated board."""
    gc, binascii, view = (types.ModuleType(name) for name in ("gc", "binascii", "view_length"))
    vars(binascii)["crc32"] = lambda data, value=0: zlib.crc32(bytes(data), value)
    vars(view)["set_length"] = lambda block, length: setattr(block, "length", length)
    return {"gc": gc, "binascii": binascii, "view_length": view, "os": os, "sys": sys}


def report(found: Count, top: int = 30) -> list[str]:
    """The count as lines of text, with the `top` most expensive functions."""
    mean_code = sum(found.executed) / found.periods
    mean_runtime = sum(found.charged) / found.periods
    lines = [
        "",
        f"Counted on an emulated Cortex-M4 over {found.periods} periods, receive interrupts included",
        "                       instructions",
        f"  machine code, mean   {mean_code:12.0f}  exact",
        f"  runtime calls, mean  {mean_runtime:12.0f}  by costs.toml",
        f"  worst period, both   {found.worst:12d}",
        "",
        "Viper functions, calls in a period and instructions without what they call",
    ]
    lines += [f"  {item.name:28} {item.instructions:10.0f} {item.calls:7.2f}" for item in found.functions[:top]]
    lines += ["", "Calls into the runtime"]
    lines += [f"  {what:28} {value:10.0f}" for what, value in list(found.runtime.items())[:15]]
    return lines
