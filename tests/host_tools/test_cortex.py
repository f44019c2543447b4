"""The emulated Cortex-M4: what it counts, and that the board's machine code does what the bench's does."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from twinaxle.commands.firmware import record
from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.firmware.cortex.count import TARGET, Count, count
from twinaxle.firmware.cortex.mpy import read_mpy
from twinaxle.firmware.cortex.world import World
from twinaxle.firmware.cost import Recording, as_bytes
from twinaxle.micropython import find_micropython

CALL = {2: 185, 3: 199}
"""Instructions of an interpreted call of a function with so many arguments, the loop around it taken off: what the
table of costs says for an empty function (222) and for two arguments, less the function's own."""


@pytest.fixture(scope="module")
def references() -> tuple[World, Any]:
    world = World([TARGET])
    return world, world.load("references")


def instructions(world: World, function: Any, *args: Any) -> int:
    machine = world.machine
    machine.reset_counts()
    function(*args)
    return machine.executed.total() + machine.charged.total()


@pytest.mark.parametrize(
    ("function", "args", "on_the_board"),
    [
        ("decode_viper", ("DATA", "OUT"), 370),
        ("encode_viper", ("OUT", "DATA"), 343),
        ("crc_table_viper", ("DATA", "TABLE"), 571),
        ("bilinear_viper", ("GRID", 0x5A7, 0x8C3), 441),
        ("viper_function", (1, 2, 3), 222),
    ],
)
def test_counts_are_those_of_the_board(
    references: tuple[World, Any], function: str, args: tuple[Any, ...], on_the_board: int
) -> None:
    world, module = references
    values = [getattr(module, value) if isinstance(value, str) else value for value in args]
    counted = instructions(world, getattr(module, function), *values) + CALL[len(args)]
    assert counted == pytest.approx(on_the_board, rel=0.05)


def test_an_iteration_of_a_loop_has_19_instructions(references: tuple[World, Any]) -> None:
    world, module = references
    fifty, hundred = (instructions(world, module.empty_viper, count) for count in (50, 100))
    assert (hundred - fifty) / 50 == pytest.approx(19, abs=0.5)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record()[:400]


@pytest.fixture(scope="module")
def counted(recording: Recording) -> Count:
    return count(recording)


def test_the_boards_code_sends_what_the_benchs_code_sends(recording: Recording, counted: Count, tmp_path: Path) -> None:
    """32-bit Thumb against 64-bit x86: loads with and without sign, overflow and pointers may differ; frames not."""
    flash = tmp_path / "flash"
    build_flash(flash)
    recorded = tmp_path / "recording"
    recorded.write_bytes(as_bytes(recording))
    result = subprocess.run(
        [find_micropython().path, "-X", "heapsize=16M", TARGET / "play_log.py", recorded],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"MICROPYPATH": os.pathsep.join(map(str, (TARGET / "board", TARGET, flash)))},
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert counted.sent == bytes.fromhex("".join(result.stdout.split()))


def test_every_period_commands_both_inverters(recording: Recording, counted: Count) -> None:
    frames = [counted.sent[at : at + 10] for at in range(0, len(counted.sent), 10)]
    ids = [int.from_bytes(frame[:2], "little") for frame in frames]
    assert ids.count(0x80) == ids.count(0x81) == len(recording)


def test_functions_add_up_to_the_total(counted: Count) -> None:
    assert sum(item.instructions for item in counted.functions) == pytest.approx(
        sum(counted.executed) / counted.periods
    )
    assert counted.mean <= counted.worst


def test_a_file_that_is_cut_off_is_refused() -> None:
    with pytest.raises(UserError, match="ends in the middle"):
        read_mpy(b"M\x06\x1f\x1f\x05\x01\x16vc")


def test_another_version_is_refused() -> None:
    with pytest.raises(UserError, match="version 6"):
        read_mpy(b"M\x05\x1f\x1f\x05\x01\x16vc")
