"""`pytest --target INTERFACE:CHANNEL`: bench tests against a board on a python-can bus.

A live bench with nothing but the virtual board stands in for the real one: between it and the test is only the bus.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.bench import Bench
from hil.live.target import is_on_bus, open_target, reset_board
from hil.tests.live.conftest import LONG_PATIENCE_S, ROOT, Child, until
from twinaxle.errors import UserError

Start = Callable[..., Child]

SLOW = "0.1"
"""Either side must come to its frames within 50 ms of bench time, or the other one takes it for missing."""


RESET = """\
import os, pathlib, signal, socket, subprocess, sys, time
number, port = pathlib.Path(sys.argv[1]), sys.argv[2]
if number.exists():
    os.kill(int(number.read_text()), signal.SIGKILL)
    try:
        while True:  # until its port is free
            socket.create_connection(("127.0.0.1", int(port))).close()
            time.sleep(0.05)
    except ConnectionError:
        pass
log = number.with_suffix(".log")
board = subprocess.Popen(
    [sys.executable, "-m", "twinaxle", "bench", "--nodes", "VCU", "--port", port, "--speed", sys.argv[3]],
    stdin=subprocess.DEVNULL, stdout=log.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
)
number.write_text(str(board.pid))
while "join:" not in log.read_text():
    assert board.poll() is None, log.read_text()
    time.sleep(0.05)
"""
"""Takes the power off the board and gives it back; the first time it only gives it."""


@pytest.fixture
def reset(tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """The command that resets the stand-in of a board at a port."""
    script, number = tmp_path / "reset.py", tmp_path / "board"
    script.write_text(RESET)
    yield lambda port: f"{sys.executable} {script} {number} {port} {SLOW}"
    if number.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(number.read_text()), signal.SIGKILL)


def port_for_good() -> int:
    """A free port for a server that comes and goes: not one of those that systems give to whoever asks for any."""
    for port in random.Random(os.getpid()).sample(range(20_000, 29_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail("no port is free")


@pytest.mark.req("HB-01")
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_bench_tests_run_against_a_board_by_options_alone(
    child: Start, tmp_path: Path, reset: Callable[[int], str]
) -> None:
    port = port_for_good()
    session = child(
        "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs", str(ROOT / "hil/tests/test_start_up.py"),
        "-k", "driver_starts_the_car or transition", "--target", f"twinaxle:127.0.0.1:{port}",
        "--bench-speed", SLOW, "--reset-command", reset(port), "--trace-folder", str(tmp_path), "--maxfail", "1",
    )  # fmt: skip
    until(lambda: session.ended, session, LONG_PATIENCE_S)
    assert session.process.returncode == 0, session.read()
    assert "2 passed" in session.read()


def test_what_only_the_virtual_board_shows_is_skipped(child: Start, tmp_path: Path) -> None:
    test = tmp_path / "test_inside.py"
    test.write_text("def test_inside(bench):\n    assert bench.board.reset_count == 0\n")
    session = child("-m", "pytest", "-p", "no:cacheprovider", "-q", "-rs", str(test), "--target", "virtual:nowhere")
    until(lambda: session.ended, session)
    assert "1 skipped" in session.read(), session.read()
    assert "virtual:nowhere is a real board: its inside cannot be seen" in session.read()


def test_serial_ports_are_not_buses() -> None:
    assert is_on_bus("pcan:PCAN_USBBUS1,bitrate=500000")
    assert not any(is_on_bus(target) for target in ("virtual", "/dev/ttyACM0", "COM3", "port:/dev/ttyACM0", "pcan"))


@pytest.mark.parametrize("target", ["real", "pcan:CH1,500000", ":x"])
def test_targets_that_are_none(target: str) -> None:
    with pytest.raises(UserError, match=f"no target '{target}'; there are virtual, or a board"):
        Bench(target=target)


def test_a_bus_that_cannot_be_opened() -> None:
    with pytest.raises(UserError, match="target slcan:/dev/no-such-adapter: the bus cannot be opened"):
        open_target("slcan:/dev/no-such-adapter")


def test_arguments_reach_the_interface() -> None:
    with open_target("virtual:here,receive_own_messages=True") as bus:
        assert bus.receive_own_messages is True  # type: ignore[attr-defined]


def test_a_reset_that_fails_is_told() -> None:
    with pytest.raises(UserError, match="ended with 3: no board"):
        reset_board(f"{sys.executable} -c 'import sys; sys.stderr.write(\"no board\"); sys.exit(3)'")
    with pytest.raises(UserError, match="no-such-program"):
        reset_board("no-such-program reset")
