"""The emulated Cortex-M4: what it counts, and that the board's machine code does what the bench's does."""

import ast
import os
import subprocess
import types
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from twinaxle.cli import main
from twinaxle.commands import firmware
from twinaxle.commands.firmware import record
from twinaxle.errors import UserError
from twinaxle.firmware.build import build_flash
from twinaxle.firmware.cortex import charge
from twinaxle.firmware.cortex.count import KINDS, TARGET, Count, Item, Period, count
from twinaxle.firmware.cortex.interpreted import CHARGE, charge_functions
from twinaxle.firmware.cortex.machine import Machine
from twinaxle.firmware.cortex.mpy import read_mpy
from twinaxle.firmware.cortex.world import World
from twinaxle.firmware.cost import INSTRUCTIONS_PER_US, Recording, as_bytes
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
    return record()


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


def test_functions_and_kinds_add_up_to_the_total(counted: Count) -> None:
    assert sum(item.instructions for item in counted.functions) == pytest.approx(counted.mean("machine code"))
    total = counted.worst.total
    assert total.instructions == sum(item.instructions for item in counted.worst.items)
    assert total.instructions == sum(counted.worst.of(kind).instructions for kind in KINDS)
    assert all(counted.worst.of(kind).instructions > 0 for kind in KINDS)
    assert counted.mean(*KINDS) <= total.instructions


def test_the_error_is_that_of_the_rows_added_up(counted: Count) -> None:
    worst = counted.worst
    assert worst.of("machine code").error == 0
    off = sum(item.instructions * item.error for item in worst.items)
    assert worst.total.most - worst.total.instructions == pytest.approx(off)
    assert all(item.error > 0 for item in worst.items if item.kind != "machine code")


def test_driver_and_interrupts_are_charged_by_frame(recording: Recording, counted: Count) -> None:
    for frames, period in zip(recording, counted.periods, strict=True):
        times = {item.name: item.times for item in period.items}
        assert times.get("receive", 0) == times.get("machine.CAN.recv", 0) == len(frames)
        assert times["transmit"] == times["machine.CAN.send"] >= 2
        assert times["timer"] == times["systick"] == times["machine.CAN.state"] == 1
    sends = sum(item.times for period in counted.periods for item in period.items if item.name == "machine.CAN.send")
    ids = [counted.sent[at : at + 2] for at in range(0, len(counted.sent), 10)]
    assert sends == len(ids) - ids.count(b"\xff\xff")


@pytest.mark.req("RT-01")
def test_the_worst_period_keeps_a_millisecond_with_all_its_errors(counted: Count) -> None:
    """Wheels slide, pedals disagree and a unit is lost in that drive; driver and interrupts are included."""
    assert counted.worst.total.most <= 70_000
    assert any(item.name == "vcu.faults.Faults.changed" for item in counted.worst.items), "a fault came in it"


def test_the_bench_charges_what_this_firmware_costs(counted: Count) -> None:
    assert charge.compare(counted) == []


def test_receiving_and_the_tick_share_a_period(recording: Recording, counted: Count) -> None:
    for frames, period in zip(recording, counted.periods, strict=True):
        assert period.frames == len(frames)
        assert period.tick.instructions + period.frames * period.frame.instructions == pytest.approx(
            period.total.instructions
        )
        times = {item.name: item.times for item in period.receiving}
        assert times.get("machine.CAN.recv", 0) == len(frames)
        assert "timer" not in times
    assert counted.worst_frame.instructions > 325, "the interrupt's way alone, by costs.toml"


def test_the_bench_charges_what_was_counted_and_nothing_cheaper(counted: Count, tmp_path: Path) -> None:
    path = tmp_path / "cost.toml"
    with pytest.raises(UserError, match="firmware count --write"):
        charge.compare(counted, path)
    charge.write(counted, path)
    assert charge.compare(counted, path) == []
    assert charge.charged_us(counted)["tick_cost_us"] >= counted.worst_tick.most / INSTRUCTIONS_PER_US - 1
    path.write_text("tick_cost_us = 100\nrx_cost_us = 1\n")
    keys = [line.partition(" = ")[0] for line in charge.compare(counted, path)]
    assert keys == [f"{path}: tick_cost_us", f"{path}: rx_cost_us"]


def _count_of(instructions: int, error: float) -> Count:
    return Count((Period(0, (Item("driver", "machine.CAN.send", 1, instructions, error),)),), (), b"")


@pytest.mark.parametrize(
    ("instructions", "error", "fits", "verdict"),
    [(60_000, 0.1, True, "within it"), (65_000, 0.1, False, "not certain"), (90_000, 0.1, False, "OVER IT")],
)
def test_check_asks_for_the_upper_end_of_the_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    instructions: int,
    error: float,
    fits: bool,
    verdict: str,
) -> None:
    monkeypatch.setattr(firmware, "record", list)
    monkeypatch.setattr("twinaxle.firmware.cortex.count.count", lambda _: _count_of(instructions, error))
    monkeypatch.setattr("twinaxle.firmware.cortex.charge.compare", lambda _: [])
    assert main(["firmware", "count", "--check"]) == (0 if fits else 1)
    assert verdict in capsys.readouterr().out
    assert main(["firmware", "count"]) == 0


def test_interpreted_code_costs_what_the_table_of_the_board_says() -> None:
    """`self.x += 1`, a method call with three arguments, an iteration and a store are measured."""
    costs = Machine().costs["bytecode"]
    source = """
class Part:
    def add(self):
        self.x += 1
    def send(self, port, a, b, c):
        port.send(a, b, c)
    def repeat(self, n):
        for i in range(n):
            self.x = i
"""
    tree = ast.parse(source)
    charge_functions(tree, "part", costs)
    charged: Counter[str] = Counter()
    scope: dict[str, Any] = {CHARGE: lambda name, instructions: charged.update({name: instructions})}
    exec(compile(tree, "part", "exec"), scope)
    part = scope["Part"]()
    part.x = 0
    part.add()
    part.send(types.SimpleNamespace(send=lambda *_: None), 1, 2, 3)
    part.repeat(0)
    none = charged["part.Part.repeat"]
    part.repeat(10)
    assert charged["part.Part.add"] - costs["enter"] == pytest.approx(245, rel=0.05)
    # The caller's part of the call, and the beginning of a function
    assert charged["part.Part.send"] == pytest.approx(713, rel=0.1)
    assert charged["part.Part.repeat"] - 2 * none == pytest.approx(10 * (169 + 122), rel=0.1)


def test_a_file_that_is_cut_off_is_refused() -> None:
    with pytest.raises(UserError, match="ends in the middle"):
        read_mpy(b"M\x06\x1f\x1f\x05\x01\x16vc")


def test_another_version_is_refused() -> None:
    with pytest.raises(UserError, match="version 6"):
        read_mpy(b"M\x05\x1f\x1f\x05\x01\x16vc")
