"""`twinaxle bench` as a user runs it: what it prints, its end, its exit codes."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import can
import pytest

from hil.tests.live.conftest import LONG_PATIENCE_S, PATIENCE_S, Child, until

Start = Callable[..., Child]

QUIET = ("--nodes", "INV_F,INV_R,BMS,ESC", "--port", "0")


def channel(bench: Child) -> str:
    """The address that the bench prints."""
    until(lambda: re.search(r"127\.0\.0\.1:\d+\s", bench.read()) or bench.ended, bench)
    found = re.search(r"127\.0\.0\.1:\d+", bench.read())
    assert found is not None, bench.read()
    return found[0]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", None)])
def test_ctrl_c_is_a_clean_end(child: Start, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "bus.blf"
    bench = child("-m", "twinaxle", "bench", *QUIET, "--log", str(path))
    with can.Bus(interface="twinaxle", channel=channel(bench)) as bus:
        received = [message for message in (bus.recv(PATIENCE_S) for _ in range(200)) if message]
        assert len(received) == 200
        bench.process.send_signal(number)
        with pytest.raises(can.CanOperationError, match="the bench has ended"):
            while (message := bus.recv(PATIENCE_S)) is not None:
                received.append(message)
    until(lambda: bench.ended, bench)
    assert bench.process.returncode == 0, bench.read()
    logged = list(can.BLFReader(path))
    summary = re.search(r"ended: .*; (\d+) frames; late by .* ms at most.*bus.blf: (\d+) frames", bench.read())
    assert summary is not None, bench.read()
    assert int(summary[1]) == int(summary[2]) == len(logged)
    # Nothing was lost on the way to the client either, up to the very end.
    ours = [(message.arbitration_id, bytes(message.data)) for message in received]
    whole = [(message.arbitration_id, bytes(message.data)) for message in logged]
    assert ours == whole[-len(ours) :]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell closes them")
def test_without_standard_streams(tmp_path: Path) -> None:
    """As some service managers start programs."""
    path = tmp_path / "bus.asc"
    command = f'"{sys.executable}" -m twinaxle bench {" ".join(QUIET)} --duration 0.3 --log "{path}" <&- >&- 2>&-'
    done = subprocess.run(command, shell=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0
    assert len(list(can.LogReader(path))) > 100


def test_the_duration_is_bench_time(child: Start) -> None:
    bench = child("-m", "twinaxle", "bench", *QUIET, "--duration", "0.6", "--status", "0.2", "--speed", "2")
    until(lambda: bench.ended, bench)
    text = bench.read()
    assert bench.process.returncode == 0, text
    assert "ended: 0.6 s of bench time; " in text
    # 0.4 s on a machine that keeps up: the status is told by the wall clock.
    assert re.search(r"^ +0\.\d s  no VCU +0\.0 km/h  load  +\d+%  clients 0  dropped 0  late \d", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nodes", "ECU"], "no virtual node 'ECU'; there are INV_F, INV_R, BMS, PEDALS, ESC, VCU"),
        (["--without", "ECU"], "--without: there is no virtual node 'ECU'"),
        (["--scenario", "race"], "no scenario 'race'"),
        (["--without", "PEDALS", "--scenario", "wltc"], "a scenario needs the virtual PEDALS"),
        (["--duration", "0"], "must be above 0"),
        (["--port", "TAKEN"], "is taken, perhaps by another bench: choose one by --port"),
        (
            ["-i", "slcan", "-c", "/dev/no-such-adapter"],
            "the bus cannot be opened (slcan channel /dev/no-such-adapter)",
        ),
        (["-i", "virtual", "-c", "x", "--fd"], "is classic CAN"),
    ],
)
def test_mistakes_are_told(child: Start, arguments: list[str], message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        given = [taken if argument == "TAKEN" else argument for argument in arguments]
        if "--port" not in given:
            given += ["--port", "0"]
        bench = child("-m", "twinaxle", "bench", *given)
        until(lambda: bench.ended, bench)
    assert bench.process.returncode == 2
    assert message in bench.read()
    assert "Traceback" not in bench.read()


def test_two_benches_share_a_car(child: Start) -> None:
    """One bench is the board, the other joins it as a real bus and is the car. In slow motion: either takes the other
    for missing after 50 ms of bench time.
    """
    board = child("-m", "twinaxle", "bench", "--nodes", "VCU", "--port", "0", "--speed", "0.1")
    car = child("-m", "twinaxle", "bench", "--port", "0", "--speed", "0.1", "--scenario", "drive", "--status", "0.5",
                "-i", "twinaxle", "-c", channel(board))  # fmt: skip
    until(lambda: re.search(r" s  Drive +[1-9]", car.read()) or car.ended, car, LONG_PATIENCE_S)
    assert not car.ended, car.read()
    board.process.send_signal(signal.SIGINT)
    until(lambda: board.ended and car.ended, car)
    assert board.process.returncode == 0
    assert car.process.returncode == 2
    assert re.search(r"the adapter on twinaxle bench at .* failed: .* the bench has ended", car.read())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")
def test_keys_in_a_terminal(child: Start) -> None:
    bench = child("-m", "twinaxle", "bench", "--port", "0", "--scenario", "off", "--speed", "3", terminal=True)
    until(lambda: "keys: s start" in bench.read() and " s  Standby" in bench.read(), bench)
    bench.type(b"s")
    until(lambda: " s  Drive" in bench.read(), bench)
    bench.type(b"q")
    until(lambda: bench.ended, bench)
    assert bench.process.returncode == 0
    assert "ended: " in bench.read()


def test_nothing_real_turns_by_itself(child: Start) -> None:
    bench = child("-m", "twinaxle", "bench", "--without", "VCU,INV_F", "--port", "0", "--duration", "0.05")
    until(lambda: bench.ended, bench)
    assert "virtual: INV_R, BMS, PEDALS, ESC; scenario: off" in bench.read()
