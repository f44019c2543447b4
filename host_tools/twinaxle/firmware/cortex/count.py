"""Counts the instructions of a recorded drive on the emulated Cortex-M4 (RT-01), and keeps what the firmware sends.

What is counted is exact: the machine code of the viper functions, instruction by instruction, as mpy-cross wrote it for
the board. All else is charged by `costs.toml`, each row with its error: what these functions call in MicroPython's
runtime, what MicroPython interprets, the driver's C and the interrupts.
"""

import os
import sys
import types
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError
from twinaxle.firmware.cost import GOAL_INSTRUCTIONS, LIMIT_INSTRUCTIONS, Estimate, Recording, as_bytes
from twinaxle.paths import FIRMWARE

TARGET = Path(__file__).parents[1] / "target"
KINDS = ("machine code", "runtime", "interpreted", "driver", "interrupts")
_SETTLE = 5
"""Periods at the start that do not count as the worst: before them the firmware sets itself up."""


@dataclass(frozen=True)
class Function:
    """A viper function: instructions and calls in a mean period."""

    name: str
    instructions: float
    calls: float


@dataclass(frozen=True)
class Item:
    """What a period spends on one thing. `error` is relative and one-sided."""

    kind: str
    """One of KINDS."""
    name: str
    times: int
    """How often, 0 where that is not counted."""
    instructions: int
    error: float


@dataclass(frozen=True)
class Period:
    """A control period with its interrupts."""

    number: int
    items: tuple[Item, ...]
    receiving: tuple[Item, ...] = ()
    """Those of them that the interrupts of received frames spend."""
    frames: int = 0
    """Received ones."""

    def of(self, *kinds: str) -> Estimate:
        """Instructions of some kinds of work. Their errors are added up, since they may all go the same way."""
        return _sum([item for item in self.items if item.kind in kinds])

    @property
    def total(self) -> Estimate:
        """All of it: what RT-01 limits."""
        return self.of(*KINDS)

    @property
    def tick(self) -> Estimate:
        """The period without the interrupts of received frames."""
        whole, receiving = self.total, _sum(self.receiving)
        instructions = whole.instructions - receiving.instructions
        return Estimate(instructions, (whole.most - receiving.most) / max(1, instructions) - 1)

    @property
    def frame(self) -> Estimate:
        """The interrupt of one received frame, mean of the period's."""
        receiving = _sum(self.receiving)
        return Estimate(receiving.instructions / max(1, self.frames), receiving.error)


@dataclass(frozen=True)
class Count:
    """Instructions of a recorded drive."""

    periods: tuple[Period, ...]
    functions: tuple[Function, ...]
    """The most expensive first, without what they call."""
    sent: bytes
    """What the firmware sent, in the form of target/board/machine.py."""

    def mean(self, *kinds: str) -> float:
        """Instructions of some kinds of work in a mean period."""
        return sum(period.of(*kinds).instructions for period in self.periods) / len(self.periods)

    @property
    def _settled(self) -> tuple[Period, ...]:
        return self.periods[_SETTLE:] or self.periods

    @property
    def worst(self) -> Period:
        """The period with the most instructions."""
        return max(self._settled, key=lambda period: period.total.most)

    @property
    def worst_tick(self) -> Estimate:
        """The most that a tick costs without the interrupts of received frames."""
        return max((period.tick for period in self._settled), key=lambda tick: tick.most)

    @property
    def worst_frame(self) -> Estimate:
        """The most that the interrupt of a received frame costs, by periods."""
        return max((period.frame for period in self._settled), key=lambda frame: frame.most)

    @property
    def fits(self) -> bool:
        """Whether the worst period keeps RT-01 even at the upper end of its error."""
        return self.worst.total.most <= LIMIT_INSTRUCTIONS


def count(recording: Recording, firmware: Path = FIRMWARE) -> Count:
    """Run the firmware over `recording` on the emulated board.

    Raises UserError without the package `unicorn`, and where the firmware does not compile.
    """
    try:
        from twinaxle.firmware.cortex.driver import SEND, count_calls
        from twinaxle.firmware.cortex.world import World
    except ImportError as error:
        raise UserError(f"counting instructions needs the package {error.name}: `make setup` installs it.") from None
    world = World([firmware, TARGET / "board", TARGET], _modules(), firmware)
    machine = world.machine
    calls = count_calls(world, machine.costs["driver"])
    play = world.load("play_log").play
    app = world.load("vcu.app")
    machine.reset_counts()
    counters = machine.executed, machine.charged, world.interpreted, calls
    begin = [counter.copy() for counter in counters]
    receiving: list[Item] = []
    periods: list[Period] = []

    def spent(happened: Mapping[str, int]) -> list[Item]:
        executed, charged, interpreted, called = (now - old for now, old in zip(counters, begin, strict=True))
        happened = {"sent frame": called[SEND], **happened}
        items = [Item("machine code", name, 0, found, 0) for name, found in executed.items()]
        items += [
            Item("runtime", name, 0, found, machine.costs[name.partition(".")[0]]["error"])
            for name, found in charged.items()
        ]
        items += [
            Item("interpreted", name, 0, found, machine.costs["bytecode"]["error"])
            for name, found in interpreted.items()
        ]
        items += _rows("driver", machine.costs["driver"], called)
        interrupts = machine.costs["interrupt"]
        items += _rows("interrupts", interrupts, {name: happened[row["each"]] for name, row in interrupts.items()})
        return items

    def received(number: int) -> None:
        receiving[:] = spent({"received frame": len(recording[number]), "period": 0})

    def after(number: int) -> None:
        frames = len(recording[number])
        items = spent({"received frame": frames, "period": 1})
        periods.append(Period(number, tuple(items), tuple(receiving), frames))
        begin[:] = [counter.copy() for counter in counters]

    sent = bytes(play(app, as_bytes(recording), after, received))
    return Count(
        periods=tuple(periods),
        functions=tuple(
            Function(name, found / len(periods), machine.calls[name] / len(periods))
            for name, found in machine.executed.most_common()
        ),
        sent=sent,
    )


def _sum(items: Sequence[Item]) -> Estimate:
    instructions = sum(item.instructions for item in items)
    return Estimate(instructions, sum(item.instructions * item.error for item in items) / max(1, instructions))


def _rows(kind: str, rows: Mapping[str, Mapping[str, Any]], times: Mapping[str, int]) -> list[Item]:
    return [
        Item(kind, name, times[name], times[name] * row["instructions"], row["error"])
        for name, row in rows.items()
        if times[name]
    ]


def _modules() -> dict[str, types.ModuleType]:
    """MicroPython's own modules that the firmware uses, for the emulated board."""
    gc, binascii, uctypes, view = (types.ModuleType(name) for name in ("gc", "binascii", "uctypes", "view_length"))
    vars(binascii)["crc32"] = lambda data, value=0: zlib.crc32(bytes(data), value)
    vars(view)["set_length"] = lambda block, length: setattr(block, "length", length)
    vars(uctypes)["addressof"] = lambda block: block.address
    return {"gc": gc, "binascii": binascii, "uctypes": uctypes, "view_length": view, "os": os, "sys": sys}


def _in_us(name: str, value: Estimate) -> str:
    return f"  {name}: {value.instructions:.0f} +- {100 * value.error:.0f} %, {value.time_us:.0f} us on the board"


def report(found: Count, top: int = 30) -> list[str]:
    """The count as lines of text, with the `top` most expensive functions."""
    worst = found.worst
    total = worst.total
    verdict = "within it" if found.fits else "OVER IT" if total.least > LIMIT_INSTRUCTIONS else "not certain"
    lines = [
        "",
        f"Counted on an emulated Cortex-M4 over {len(found.periods)} periods",
        f"{'':24}{'mean period':>14}{f'worst, no. {worst.number}':>18}",
    ]
    for kind in KINDS:
        part = worst.of(kind)
        error = f"  +- {100 * part.error:2.0f} %" if part.error else "  exact"
        lines.append(f"  {kind:22}{found.mean(kind):14.0f}{part.instructions:18.0f}{error}")
    lines += [
        f"  {'total':22}{found.mean(*KINDS):14.0f}{total.instructions:18.0f}  +- {100 * total.error:2.0f} %:"
        f" {total.least:.0f} to {total.most:.0f}",
        _in_us("the worst tick without received frames", found.worst_tick),
        _in_us("one received frame", found.worst_frame),
        "",
        f"RT-01 allows {LIMIT_INSTRUCTIONS} instructions in a period, the goal is {GOAL_INSTRUCTIONS}: {verdict}",
        "",
        "Worst period, by the rows of costs.toml",
    ]
    rows = [item for item in worst.items if item.kind != "machine code"]
    for item in sorted(rows, key=lambda item: (KINDS.index(item.kind), -item.instructions)):
        times = f"{item.times:4d} times" if item.times else ""
        lines.append(f"  {item.kind:12} {item.name:34}{item.instructions:8d}  +- {100 * item.error:2.0f} %{times}")
    lines += ["", "Viper functions, calls in a mean period and instructions without what they call"]
    lines += [f"  {item.name:34}{item.instructions:8.0f} {item.calls:7.2f}" for item in found.functions[:top]]
    return lines
