"""An interpreter without native code (PyPI's on macOS arm64) runs the same firmware to the same bus."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hil.bench import Bench
from hil.board import interpreter as board_interpreter
from hil.pytest_plugin import BenchFactory
from twinaxle import micropython
from twinaxle.dbc import powertrain

BIT_NS = 2_000
HEAP_FREE_BYTES = slice(4, 6)  # VcuTiming.HeapFree: bytecode takes more room than machine code


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Makes the interpreter of this machine say that it has no native emitter."""
    probe = micropython._probe_interpreter

    def forget() -> None:
        for cached in (board_interpreter.main_program, board_interpreter.hardware_heap_bytes):
            cached.cache_clear()

    def apply() -> None:
        forget()
        monkeypatch.setattr(micropython, "_probe_interpreter", lambda *where: replace(probe(*where), architecture=None))

    yield apply
    monkeypatch.undo()
    forget()


def _frames(bench: Bench) -> list[tuple[int, int, bytes]]:
    timing = powertrain().messages["VcuTiming"].frame_id
    frames = []
    for entry in bench.trace:
        data = bytearray(entry.frame.data)
        if entry.frame.can_id == timing:
            data[HEAP_FREE_BYTES] = b"\0\0"
        frames.append((entry.time_ns, entry.frame.can_id, bytes(data)))
    return frames


def test_the_bus_is_the_same(new_bench: BenchFactory, without_native: Any) -> None:
    runs = []
    for prepare in (lambda: None, without_native):
        prepare()
        with new_bench(seed=7) as bench:
            bench.start_up()
            bench.driver.pedal(70)
            bench.run(2)
            bench.driver.pedal(0)
            bench.run(0.5)
        runs.append(_frames(bench))
    program = board_interpreter.main_program(micropython.find_micropython().path)
    assert "micropython.viper" not in (program.parent / "_vb_bxcan.py").read_text()
    assert len(runs[0]) > 3000
    assert [frame[1:] for frame in runs[0]] == [frame[1:] for frame in runs[1]]
    # Another HeapFree can have another number of stuff bits, for which the frames behind it wait.
    assert max(abs(one[0] - other[0]) for one, other in zip(*runs, strict=True)) <= 5 * BIT_NS
