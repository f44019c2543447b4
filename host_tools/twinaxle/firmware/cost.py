"""Estimates what a control period costs on the board, in ARM instructions (RT-01).

In one MicroPython process on this machine the real firmware runs a recorded drive, and in between reference loops run
whose cost on the board is known. Time of the firmware over time of the references, times their instructions, is the
estimate. References and firmware are of two kinds, interpreted and viper; each kind has its own time per instruction:
the geometric mean over its references. Their spread gives the error.

Not measured, since it is C on the board: the work inside the CAN driver and the interrupt's way into Python. For these
stand assumed instructions, and half of them goes into the error.
"""

import ast
import json
import math
import os
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.micropython import find_micropython
from twinaxle.paths import BUILD, FIRMWARE

INSTRUCTIONS_PER_US = 70
"""Bytecode on the STM32F405 at 168 MHz."""
LIMIT_INSTRUCTIONS = 70_000
"""RT-01: 1 ms."""
GOAL_INSTRUCTIONS = 35_000

INTERRUPT_INSTRUCTIONS = 1000
"""Assumed: from the interrupt's vector into a hard handler and out again (a soft one by schedule: 1312)."""
DRIVER_INSTRUCTIONS = {"recv": 350, "flags": 100, "send": 350, "pin": 40}
"""Assumed: work inside a C call of the driver, beyond the call itself."""
SENDS_OF_A_TICK = 5
PINS_OF_A_TICK = 3

_HALF_STEP_US = 0.5
"""The clock has steps of 1 us: the least of many readings is half a step too low on average."""
_TARGET = Path(__file__).parent / "target"
_TIMEOUT_S = 300

Recording = Sequence[Sequence[tuple[int, bytes]]]
"""For each control period the frames (identifier, 8 bytes) received before it."""


@dataclass(frozen=True)
class Reference:
    """A reference loop: known instructions on the board, measured time here."""

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
class Measurement:
    """What the process measured; times are the least of all repeats, of this machine."""

    references: list[Reference]
    loop_ns: list[float]
    """One pass of the firmware's loop with a tick in it, for each period."""
    frames_ns: list[float]
    """All receive interrupts before it."""
    frames: list[int]
    """How many these were."""
    timer_ns: float
    """The timer interrupt."""
    stages_ns: dict[str, float]
    """Mean over the periods of a part of the tick."""
    viper_ns: float
    """Mean over the periods of all viper functions together."""


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
    """Without the receive interrupts."""
    frame: Estimate
    """Receive interrupt of one frame."""
    worst_period: Estimate
    """Timer interrupt, receive interrupts and tick of the worst period: what RT-01 limits."""
    stages: dict[str, float]
    """Mean instructions of a part of the tick."""
    ns_per_instruction: dict[str, float]
    spread: dict[str, float]
    """Relative standard deviation over the references of a kind."""
    references: list[Reference]
    periods: int


def viper_functions(firmware: Path = FIRMWARE) -> list[str]:
    """Dotted names of the firmware's viper functions (not methods), `package.module.function`."""
    names = []
    for path in sorted(firmware.glob("*/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator) == "micropython.viper" for decorator in node.decorator_list
            ):
                names.append(f"{path.parent.name}.{path.stem}.{node.name}")
    return names


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
        path = Path(folder, "recording")
        path.write_bytes(_as_bytes(recording))
        try:
            result = subprocess.run(
                [
                    *(interpreter.path, "-X", "heapsize=8M"),
                    *(_TARGET / "cost.py", path, str(repeats), ",".join(viper_functions())),
                ],
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
        logs = [math.log(item.ns_per_instruction) for item in measured.references if item.kind == kind]
        ratio[kind] = math.exp(statistics.fmean(logs))
        spread[kind] = statistics.stdev(logs)
    mean_ns = statistics.fmean(measured.loop_ns)
    viper_share = min(1.0, max(0.0, measured.viper_ns / mean_ns))
    # What varies from tick to tick is mostly interpreted, so viper's time is the same in each.
    viper_instructions = measured.viper_ns / ratio["viper"]

    def tick(time_ns: float) -> float:
        return (time_ns - measured.viper_ns) / ratio["bytecode"] + viper_instructions

    tick_c = SENDS_OF_A_TICK * DRIVER_INSTRUCTIONS["send"] + PINS_OF_A_TICK * DRIVER_INSTRUCTIONS["pin"]
    frame_c = INTERRUPT_INSTRUCTIONS + DRIVER_INSTRUCTIONS["recv"] + 2 * DRIVER_INSTRUCTIONS["flags"]
    timer = measured.timer_ns / ratio["bytecode"]
    tick_error = (1 - viper_share) * spread["bytecode"] + viper_share * spread["viper"]

    def whole(python: float, c: float, error: float) -> Estimate:
        total = python + c
        return Estimate(total, (python * error + c / 2) / total)

    periods = [
        (tick(loop) + timer + frames_ns / ratio["bytecode"], tick_c + INTERRUPT_INSTRUCTIONS + count * frame_c)
        for loop, frames_ns, count in zip(measured.loop_ns, measured.frames_ns, measured.frames, strict=True)
    ]
    one_frame = statistics.fmean(
        time / count for time, count in zip(measured.frames_ns, measured.frames, strict=True) if count
    )
    return Cost(
        mean_tick=whole(tick(mean_ns) + timer, tick_c + INTERRUPT_INSTRUCTIONS, tick_error),
        worst_tick=whole(tick(max(measured.loop_ns)) + timer, tick_c + INTERRUPT_INSTRUCTIONS, tick_error),
        frame=whole(one_frame / ratio["bytecode"], frame_c, spread["bytecode"]),
        worst_period=whole(*max(periods, key=sum), tick_error),
        stages={name: time / ratio["bytecode"] for name, time in measured.stages_ns.items()},
        ns_per_instruction=ratio,
        spread=spread,
        references=measured.references,
        periods=len(measured.loop_ns),
    )


def _as_bytes(recording: Recording) -> bytes:
    content = bytearray()
    for frames in recording:
        content.append(len(frames))
        for can_id, data in frames:
            content += can_id.to_bytes(2, "little") + data.ljust(8, b"\0")
    return bytes(content)


def _measurement(said: dict[str, Any]) -> Measurement:
    periods = said["periods"]
    return Measurement(
        references=[Reference(*item) for item in said["references"]],
        loop_ns=[(time + _HALF_STEP_US) * 1000 for time in said["loop_us"]],
        frames_ns=[(time + _HALF_STEP_US) * 1000 for time in said["frames_us"]],
        frames=said["frames"],
        timer_ns=said["timer_us"] * 1000 / periods,
        stages_ns={name: time * 1000 / periods for name, (_, time) in said["stages"].items()},
        viper_ns=sum(time for _, time in said["viper"].values()) * 1000 / periods,
    )
