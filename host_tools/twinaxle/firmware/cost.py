"""Estimates what a control period costs on the board, in ARM instructions (RT-01).

In one MicroPython process on this machine the real firmware runs a recorded drive, and between two periods run
references: code of a period's length, made of operations whose cost on the board is known. Time of the firmware over
time of the references, times their instructions, is the estimate. Code is of two kinds, interpreted and viper; each
kind has its own time per instruction. How far the references are apart gives the error.

Not measured, since it is C on the board: the work inside the CAN driver and the interrupt's way into Python. For these
stand the rows of cortex/costs.toml, each with its error.
"""

import ast
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.firmware.cortex.costs import sum_rows
from twinaxle.micropython import find_micropython
from twinaxle.paths import BUILD, FIRMWARE

INSTRUCTIONS_PER_US = 70
"""Bytecode on the STM32F405 at 168 MHz."""
LIMIT_INSTRUCTIONS = 70_000
"""RT-01: 1 ms."""
GOAL_INSTRUCTIONS = 35_000

TICK_CALLS = {"machine.CAN.send": 5, "machine.CAN.state": 1, "machine.WDT.feed": 1}
"""Calls of the driver in a tick, rows of costs.toml; the clock's are measured."""
TICK_INTERRUPTS = {"transmit": 5, "timer": 1, "systick": 1}
FRAME_CALLS = {"machine.CAN.recv": 1}
FRAME_INTERRUPTS = {"receive": 1}

_SETTLE = 5
"""Periods at the start whose time does not count as the worst: this machine's caches are cold."""
_TARGET = Path(__file__).parent / "target"
_TIMEOUT_S = 300

Recording = Sequence[Sequence[tuple[int, bytes]]]
"""For each control period the frames (identifier, 8 bytes) received before it."""


@dataclass(frozen=True)
class Reference:
    """A piece of code: known instructions on the board, measured time here."""

    name: str
    kind: str
    """'bytecode' or 'viper'."""
    instructions: int
    time_ns: float

    @property
    def ns_per_instruction(self) -> float:
        """Time of this machine for one instruction of the board."""
        return self.time_ns / self.instructions


@dataclass(frozen=True)
class Part:
    """A function of the tick: how often it is called in a period and how long it takes in all, means."""

    name: str
    calls: float
    time_ns: float


@dataclass(frozen=True)
class Measurement:
    """What the process measured, in ns of this machine and for one period."""

    loops: list[Reference]
    """Short loops of one operation each, for comparison."""
    mixes: list[Reference]
    """Long code run between the periods: what the estimate uses."""
    mean_tick_ns: float
    """One pass of the firmware's loop with a tick in it."""
    worst_over_mean: float
    """The longest tick over the mean one."""
    timer_ns: float
    """The timer interrupt's handler."""
    frame_ns: float
    """The receive interrupt's handler, for one frame."""
    mean_frames: float
    most_frames: int
    functions: list[Part]
    """The viper functions."""
    periods: int


@dataclass(frozen=True)
class Estimate:
    """A number of ARM instructions with its range."""

    instructions: float
    error: float
    """Relative, one sided: the value lies within `instructions * (1 +- error)`."""

    @property
    def time_us(self) -> float:
        """Time on the board."""
        return self.instructions / INSTRUCTIONS_PER_US

    @property
    def most(self) -> float:
        """Upper end of the range, instructions."""
        return self.instructions * (1 + self.error)

    @property
    def least(self) -> float:
        """Lower end of the range, instructions."""
        return self.instructions * (1 - self.error)


@dataclass(frozen=True)
class Cost:
    """The estimates of one run."""

    mean_tick: Estimate
    worst_tick: Estimate
    """With the timer interrupt, without the receive interrupts."""
    frame: Estimate
    """Receive interrupt of one frame."""
    worst_period: Estimate
    """Worst tick and the receive interrupts of a period with the most frames: what RT-01 limits."""
    ns_per_instruction: dict[str, float]
    spread: dict[str, float]
    """Largest relative distance of a reference from the mean of its kind."""
    measurement: Measurement


def viper_functions(firmware: Path = FIRMWARE) -> dict[str, int]:
    """The firmware's viper functions: `package.module.function` -> number of arguments."""
    return {
        f"{path.parent.name}.{path.stem}.{node.name}": len(node.args.args)
        for path in sorted(firmware.glob("*/*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(decorator) == "micropython.viper" for decorator in node.decorator_list)
    }


def measure(recording: Recording, repeats: int) -> Measurement:
    """Run the firmware over `recording` `repeats` times beside the references.

    Raises UserError without a MicroPython that runs native code, and where the firmware fails on the way.
    """
    interpreter = find_micropython()
    if interpreter.architecture is None:
        raise UserError(f"{interpreter.path} runs no native code: it cannot measure the cost of viper functions.")
    flash = BUILD / "flash-cost"
    build_flash(flash)
    with tempfile.TemporaryDirectory(prefix="twinaxle-cost-") as folder:
        recorded, task = Path(folder, "recording"), Path(folder, "task.json")
        recorded.write_bytes(as_bytes(recording))
        content = {
            "recording": str(recorded),
            "repeats": repeats,
            "functions": viper_functions(),
        }
        task.write_text(json.dumps(content))
        try:
            result = subprocess.run(
                [interpreter.path, "-X", "heapsize=16M", _TARGET / "cost.py", task],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                cwd=folder,
                env=os.environ | {"MICROPYPATH": os.pathsep.join(map(str, (_TARGET / "fakes", _TARGET, flash)))},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"the firmware did not come through the recording in {_TIMEOUT_S} s.") from None
    if result.returncode != 0:
        raise UserError(f"the firmware failed while it was measured:\n{(result.stdout + result.stderr).strip()}")
    return _measurement(json.loads(result.stdout.splitlines()[-1]))


def estimate(measured: Measurement) -> Cost:
    """Instructions on the board from times of this machine."""
    ratio: dict[str, float] = {}
    spread: dict[str, float] = {}
    for kind in ("bytecode", "viper"):
        ratios = [item.ns_per_instruction for item in measured.mixes if item.kind == kind]
        ratio[kind] = statistics.fmean(ratios)
        spread[kind] = max(abs(item / ratio[kind] - 1) for item in ratios)
    # One mixture of viper calls has no spread of its own; the short loops tell how far calls like these are apart.
    loops = [item.ns_per_instruction for item in measured.loops if item.kind == "viper"]
    spread["viper"] = max(spread["viper"], statistics.stdev(loops) / statistics.fmean(loops))

    viper_ns = sum(part.time_ns for part in measured.functions)
    viper = viper_ns / ratio["viper"]

    def tick(time_ns: float) -> tuple[float, float]:
        """(instructions, absolute error) of a tick; what varies from tick to tick is interpreted."""
        bytecode = max(0.0, time_ns - viper_ns) / ratio["bytecode"]
        return bytecode + viper, bytecode * spread["bytecode"] + viper * spread["viper"]

    tick_c, tick_c_error = _rows(TICK_CALLS, TICK_INTERRUPTS)
    frame_c, frame_c_error = _rows(FRAME_CALLS, FRAME_INTERRUPTS)
    timer = measured.timer_ns / ratio["bytecode"]
    frame = measured.frame_ns / ratio["bytecode"]

    def ticks(time_ns: float, frames: int) -> Estimate:
        python, error = tick(time_ns)
        python += timer + frames * frame
        error += (timer + frames * frame) * spread["bytecode"]
        c = tick_c + frames * frame_c
        return Estimate(python + c, (error + tick_c_error + frames * frame_c_error) / (python + c))

    worst_ns = measured.mean_tick_ns * measured.worst_over_mean
    return Cost(
        mean_tick=ticks(measured.mean_tick_ns, 0),
        worst_tick=ticks(worst_ns, 0),
        frame=Estimate(frame + frame_c, (frame * spread["bytecode"] + frame_c_error) / (frame + frame_c)),
        worst_period=ticks(worst_ns, measured.most_frames),
        ns_per_instruction=ratio,
        spread=spread,
        measurement=measured,
    )


def _rows(calls: Mapping[str, int], interrupts: Mapping[str, int]) -> tuple[float, float]:
    """(instructions, absolute error) of calls of the driver and of interrupts."""
    (driver, driver_error), (interrupt, interrupt_error) = sum_rows("driver", calls), sum_rows("interrupt", interrupts)
    return driver + interrupt, driver_error + interrupt_error


def as_bytes(recording: Recording) -> bytes:
    """A recording as target/ reads it: for each period the number of frames, then id (2 bytes) and data of each."""
    content = bytearray()
    for frames in recording:
        content.append(len(frames))
        for can_id, data in frames:
            content += can_id.to_bytes(2, "little") + data.ljust(8, b"\0")
    return bytes(content)


def _measurement(said: dict[str, Any]) -> Measurement:
    periods = said["periods"]
    clock_us = said["clock_us"]
    loop_us, frames_us, timer_us = said["sums_us"]
    # The clock has steps of 1 us: the least of many readings is half a step too low on average.
    ticks_us = [time + 0.5 for time in said["loop_us"][_SETTLE:]]
    frames = said["frames"]
    return Measurement(
        loops=[Reference(*item) for item in said["loops"]],
        mixes=[Reference(name, kind, count, time - clock_us * 1000) for name, kind, count, time in said["mixes"]],
        mean_tick_ns=(loop_us / periods - clock_us) * 1000,
        worst_over_mean=max(ticks_us) / statistics.fmean(ticks_us),
        timer_ns=(timer_us / periods - clock_us) * 1000,
        frame_ns=(frames_us / sum(frames) - clock_us) * 1000,
        mean_frames=statistics.fmean(frames),
        most_frames=max(frames),
        functions=_parts(said["functions"], periods),
        periods=periods,
    )


def _parts(said: dict[str, tuple[int, float]], periods: int) -> list[Part]:
    return [Part(name, calls / periods, max(0.0, time) * 1000 / periods) for name, (calls, time) in said.items()]
