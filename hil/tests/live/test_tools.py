"""Unmodified tools of python-can and cantools, each a process of its own, beside a live bench."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import can
import numpy as np
import pytest

from hil.bus import Frame
from hil.live.bench import LiveBench
from hil.live.client import Client, State
from hil.tests.live.conftest import LONG_PATIENCE_S, ROOT, Child, Growing, until, wait

MakeBench = Callable[..., LiveBench]
Start = Callable[..., Child]

DBC = ROOT / "dbc" / "powertrain.dbc"
QUIET = ("INV_F", "INV_R", "BMS", "ESC")  # enough traffic, and quick to make: no interpreter

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")


def interface(kind: str, bench: LiveBench) -> list[str]:
    """python-can's arguments for a bench: the plugin, or its own socketcand client. The bench has begun then: a client
    gives up on one that does not answer for some seconds, in which a busy machine may still be starting it.
    """
    assert bench.hub is not None
    bench.begin()
    if kind == "twinaxle":
        return ["-i", "twinaxle", "-c", f"127.0.0.1:{bench.hub.port}"]
    return [
        "--bus-kwargs",
        "host=127.0.0.1",
        f"port={bench.hub.port}",
        "tcp_tune=True",
        "-i",
        "socketcand",
        "-c",
        "vcan0",
    ]


HEAD_LINES = 5
"""Of an ASC file, before its first frame."""


def assert_consecutive(path: Path, sent: list[tuple[int, Frame]]) -> int:
    """Assert that a log is a piece of what was on the bus, with nothing left out. Returns its number of frames.

    The content of a car at rest comes again and again: the times tell where a frame is missing.
    """
    messages = list(can.LogReader(path))
    logged = [Frame(message.arbitration_id, bytes(message.data)) for message in messages]
    times_s = np.array([message.timestamp for message in messages])
    frames = [frame for _, frame in sent]
    sent_s = np.array([time_ns for time_ns, _ in sent]) * 1e-9
    count = len(logged)
    begins = [at for at in range(len(frames) - count + 1) if frames[at : at + 20] == logged[:20]]
    assert any(
        frames[at : at + count] == logged
        and np.abs((times_s - times_s[0]) - (sent_s[at : at + count] - sent_s[at])).max() < 3e-6
        for at in begins
    ), f"{path}: {count} frames, not those of the bus from {begins[:5]} on"
    return count


@pytest.mark.parametrize("kind", ["twinaxle", "socketcand"])
def test_can_logger_gets_every_frame(live: MakeBench, child: Start, tmp_path: Path, kind: str) -> None:
    bench = live(nodes=QUIET)
    sent: list[tuple[int, Frame]] = []
    bench.car.bus.tap(lambda time_ns, frame, sender: sent.append((time_ns, frame)))
    path = tmp_path / "logged.asc"
    logger = child("-m", "can.logger", "-f", str(path), *interface(kind, bench))
    log = Growing(path)
    wait(bench, lambda: log.lines > HEAD_LINES + 400)  # what it was sent, it may not have read when it is interrupted
    logger.process.send_signal(signal.SIGINT)
    wait(bench, lambda: logger.ended)
    assert bench.hub is not None
    assert bench.hub.dropped == 0
    assert assert_consecutive(path, sent) > 400


@pytest.mark.parametrize("kind", ["twinaxle", "socketcand"])
def test_can_player_puts_every_frame_on_the_bus(live: MakeBench, child: Start, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "played.asc"
    with can.ASCWriter(path) as writer:
        for number in range(300):
            writer(can.Message(timestamp=1 + number * 1e-3, arbitration_id=0x600 + number % 7, is_extended_id=False,
                               data=number.to_bytes(2, "big")))  # fmt: skip
        writer(can.Message(timestamp=1.3, arbitration_id=0x1ABCDE, data=b""))
    bench = live(nodes=QUIET)
    got: list[Frame] = []
    bench.car.bus.tap(lambda time_ns, frame, sender: got.append(frame) if sender.startswith("client") else None)
    player = child("-m", "can.player", *interface(kind, bench), str(path))
    wait(bench, lambda: player.ended and (len(got) >= 301 or player.process.returncode))
    assert player.process.returncode == 0, player.read()
    # Frames that wait at the same moment go out in the order of their ids, as in a real controller.
    by_id = {frame.can_id: [f.data for f in got if f.can_id == frame.can_id] for frame in got}
    assert by_id.pop(0x1ABCDE) == [b""]
    for offset in range(7):
        assert by_id[0x600 + offset] == [n.to_bytes(2, "big") for n in range(300) if n % 7 == offset]


@posix
@pytest.mark.parametrize("kind", ["twinaxle", "socketcand"])
def test_can_viewer(live: MakeBench, child: Start, kind: str) -> None:
    bench = live(nodes=QUIET)
    viewer = child("-m", "can.viewer", *interface(kind, bench), terminal=True)
    wait(bench, lambda: viewer.ended or all(text in viewer.read() for text in ("0x100", "0x101", "0x0B0", "0x121")))
    assert not viewer.ended, viewer.read()
    viewer.type(b"q")
    wait(bench, lambda: viewer.ended)
    assert viewer.process.returncode == 0


@posix
def test_can_viewer_hears_of_the_end(live: MakeBench, child: Start) -> None:
    bench = live(nodes=QUIET)
    viewer = child("-m", "can.viewer", *interface("twinaxle", bench), terminal=True)
    wait(bench, lambda: viewer.ended or "0x100" in viewer.read())
    assert not viewer.ended, viewer.read()
    bench.close()
    until(lambda: viewer.ended, viewer)  # reading: a terminal that nobody reads holds its program up
    assert "CanOperationError" in viewer.read()
    assert "the bench has ended" in viewer.read()


@posix
def test_cantools_monitor(live: MakeBench, child: Start) -> None:
    bench = live(nodes=QUIET)
    monitor = child("-m", "cantools", "monitor", str(DBC), *interface("twinaxle", bench), terminal=True)
    soc = re.compile(r"Soc: [0-9.]+ %")
    wait(bench, lambda: monitor.ended or ("BmsLimits" in monitor.read() and soc.search(monitor.read())))
    assert not monitor.ended, monitor.read()
    monitor.type(b"q")
    wait(bench, lambda: monitor.ended)
    assert monitor.process.returncode == 0


@posix
def test_a_hung_logger_disturbs_nobody(live: MakeBench, child: Start, tmp_path: Path) -> None:
    bench = live(nodes=QUIET, speed=10.0)
    assert bench.hub is not None
    hub = bench.hub
    sent: list[tuple[int, Frame]] = []
    bench.car.bus.tap(lambda time_ns, frame, sender: sent.append((time_ns, frame)))

    def start(path: Path) -> tuple[Child, Client, Growing]:
        """A logger that has written frames."""
        logger, log = child("-m", "can.logger", "-f", str(path), *interface("twinaxle", bench)), Growing(path)
        wait(bench, lambda: log.lines > HEAD_LINES)
        return logger, hub.clients[-1], log

    paths = [tmp_path / "hung.asc", tmp_path / "good.asc"]
    (hung, hung_client, hung_log), (good, good_client, good_log) = (start(path) for path in paths)
    hung.process.send_signal(signal.SIGSTOP)

    def hung_loses_frames() -> bool:
        while good_client.waits:  # so that the good one is not the slow one on any machine
            time.sleep(0.001)
            hub.flush()
        return hung_client.dropped > 0 and good_log.lines > hung_log.lines + 1000

    wait(bench, hung_loses_frames)
    for logger in (hung, good):
        logger.process.send_signal(signal.SIGINT)
    hung.process.send_signal(signal.SIGCONT)  # the interrupt awaits it: it writes no more
    wait(bench, lambda: hung.ended and good.ended)
    assert hub.dropped == hung_client.dropped
    counts = [assert_consecutive(path, sent) for path in paths]
    assert 0 < counts[0] < counts[1]


def test_a_client_is_the_driver(live: MakeBench, child: Start) -> None:
    """`--without PEDALS`: the example of the documentation starts the car, drives to 30 km/h and stops it."""
    bench = live(nodes=("INV_F", "INV_R", "BMS", "ESC", "VCU"), speed=2.0)
    hub = bench.hub
    assert hub is not None
    top_kmh = 0.0
    asked = 0

    def look() -> None:
        nonlocal top_kmh
        top_kmh = max(top_kmh, bench.car.plant.speed_mps * 3.6)
        bench.kernel.after(10_000_000, look)

    def count(_time_ns: int, frame: Frame, _sender: str) -> None:
        """The program presses the pedals once for each of these frames."""
        nonlocal asked
        if frame.can_id == 0x100 and hub.clients and hub.clients[0].received:
            asked += 1

    def in_step() -> bool:
        """No time passes for a car whose driver has three answers outstanding: no machine is too slow for this."""
        while hub.clients and hub.clients[0].state is State.RAW and asked - hub.clients[0].received >= 3:
            hub.flush()
            for key, mask in bench.loop.selector.select(0.1):
                key.data(mask)
        return driver.ended

    bench.kernel.after(0, look)
    bench.car.bus.tap(count)
    bench.begin()
    driver = child(str(ROOT / "docs" / "examples" / "drive.py"), f"127.0.0.1:{hub.port}")
    wait(bench, in_step, LONG_PATIENCE_S)
    text = driver.read()
    assert driver.process.returncode == 0, text
    assert [line.split()[0] for line in text.splitlines()] == ["Standby", "Ready", "Drive", "Drive", "Drive", "Ready"]
    assert 29.0 <= top_kmh < 35.0  # the wheels, which the driver sees, turn a little faster
    assert abs(bench.car.plant.speed_mps) < 0.2
    assert bench.oracle is not None
    assert bench.oracle.violations == []
