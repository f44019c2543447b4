"""A real bus joined to the bench; python-can's `virtual` bus stands in for the adapter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import can
import pytest

from hil.bus import Frame
from hil.live.bench import LiveBench
from hil.tests.live.conftest import LONG_PATIENCE_S, wait
from twinaxle.errors import UserError

MakeBench = Callable[..., LiveBench]

RESTBUS = ("INV_F", "INV_R", "BMS", "PEDALS", "ESC")


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[can.BusABC]:
    """The far end of the real bus."""
    with can.Bus(interface="virtual", channel=request.node.name, preserve_timestamps=True) as bus:
        yield bus


def near_end(wire: can.BusABC) -> can.BusABC:
    return can.Bus(interface="virtual", channel=wire.channel_info.split()[-1])


def test_the_virtual_nodes_go_out_and_the_real_ones_come_in(live: MakeBench, wire: can.BusABC) -> None:
    bench = live(nodes=RESTBUS, port=None, real=near_end(wire))
    inside: list[Frame] = []
    outside: list[Frame] = []

    def note(_time_ns: int, frame: Frame, sender: str) -> None:
        (inside if sender == "adapter" else outside).append(frame)

    bench.car.bus.tap(note)
    wire.send(can.Message(arbitration_id=0x7E0, data=b"\x02\x3e\x00", is_extended_id=False))
    wire.send(can.Message(arbitration_id=0x18FF1234, data=b""))
    wire.send(can.Message(arbitration_id=0x7E1, is_remote_frame=True, dlc=3, is_extended_id=False))
    wire.send(can.Message(arbitration_id=0x7E2, is_error_frame=True))
    wire.send(can.Message(arbitration_id=0x7E3, is_fd=True, data=bytes(12)))
    adapter = bench.adapter
    assert adapter is not None
    wait(bench, lambda: (adapter.received, adapter.errors, adapter.not_carried) == (3, 1, 1))
    bench.run(0.5)
    adapter.close()
    assert sorted(inside) == sorted(
        [Frame(0x7E0, b"\x02\x3e\x00"), Frame(0x18FF1234, b"", True), Frame(0x7E1, bytes(3), is_remote=True)]
    )
    assert (adapter.errors, adapter.not_carried, adapter.dropped) == (1, 1, 0)
    got = []
    while (message := wire.recv(0)) is not None:
        got.append(Frame(message.arbitration_id, bytes(message.data), message.is_extended_id))
    assert got == outside  # each once and in order, none of those that came in
    assert len(got) > 300
    bench.adapter = None


def test_a_board_on_the_real_bus_drives_the_car(live: MakeBench, wire: can.BusABC) -> None:
    """One bench is the car, the other the board; between them is nothing but the real bus."""
    slow = 0.3
    car = live(nodes=RESTBUS, port=None, real=near_end(wire), speed=slow, scenario=lambda driver: driver.start_up(
        then=lambda: driver.pedal(30)))  # fmt: skip
    board = live(nodes=("VCU",), port=None, real=near_end(wire), speed=slow)
    assert car.car.board is None
    board.run(0.2)
    deadline_s = time.monotonic() + LONG_PATIENCE_S
    car.run(0.001)
    while car.car.plant.speed_mps < 3.0 and time.monotonic() < deadline_s:
        board.step()
        car.step()
    assert car.car.plant.speed_mps >= 3.0, (car.status(), board.status())
    assert car.observer.label("VcuStatus", "State") == "Drive"
    assert board.observer.latest("InvFrontStatus").TorqueActual > 5
    assert car.adapter is not None
    assert board.adapter is not None
    assert car.adapter.dropped == board.adapter.dropped == 0


class Broken(can.BusABC):
    """An adapter that misbehaves."""

    def __init__(
        self,
        *,
        send: Exception | None = None,
        recv: Exception | None = None,
        shutdown: Exception | None = None,
        hang: bool = False,
    ) -> None:
        self.channel_info = "broken adapter"
        super().__init__("broken")
        self._send_error, self._recv_error, self._shutdown_error = send, recv, shutdown
        self.released = threading.Event()
        if not hang:
            self.released.set()

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        self.released.wait()
        if self._send_error is not None:
            raise self._send_error

    def shutdown(self) -> None:
        super().shutdown()
        if self._shutdown_error is not None:
            raise self._shutdown_error

    def _recv_internal(self, timeout: float | None) -> tuple[Any, bool]:
        if self._recv_error is not None:
            raise self._recv_error
        time.sleep(min(timeout or 0, 0.01))
        return None, False


def test_a_late_bench_floods_no_real_bus(live: MakeBench, wire: can.BusABC) -> None:
    """What it was late by, it does not make up for in one burst of frames."""
    bench = live(nodes=RESTBUS, port=None, real=near_end(wire))
    bench.run(0.05)
    before_s = bench.status().lost_s
    bench.kernel.after(10_000_000, lambda: time.sleep(0.08))
    bench.run(0.05)
    assert bench.status().lost_s - before_s > 0.05


def test_a_broken_adapter_ends_the_bench(live: MakeBench) -> None:
    bench = live(nodes=("ESC",), port=None, real=Broken(recv=can.CanOperationError("unplugged")))
    with pytest.raises(UserError, match="the adapter on broken adapter failed: unplugged"):
        bench.run(10)


def test_a_full_adapter_loses_frames_and_says_so(live: MakeBench) -> None:
    said: list[str] = []
    bench = live(nodes=("ESC",), port=None, real=Broken(send=can.CanOperationError("buffer full")), say=said.append)
    wait(bench, lambda: bench.status().adapter_dropped > 10 and said)
    bench.run(0.1)
    assert sum("buffer full" in line for line in said) == 1


def test_an_adapter_that_cannot_even_end_spoils_no_log(live: MakeBench, tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "bus.asc"
    real = Broken(shutdown=OSError("unplugged"))
    with live(nodes=("ESC",), port=None, real=real, log=path, say=said.append) as bench:
        bench.run(0.1)
    assert any("broken adapter did not shut down well: unplugged" in line for line in said)
    assert len(list(can.LogReader(path))) == bench.frames > 10


def test_what_an_adapter_tells_last_is_said_at_the_end(live: MakeBench) -> None:
    said: list[str] = []
    real = Broken(send=can.CanOperationError("buffer full"), hang=True)
    bench = live(nodes=("ESC",), port=None, real=real, say=said.append)
    bench.run(0.1)
    real.released.set()
    bench.close()
    assert sum("buffer full" in line for line in said) == 1
    assert bench.adapter is not None
    assert bench.adapter.dropped == bench.frames


def test_an_adapter_that_hangs_holds_nothing_up(live: MakeBench) -> None:
    said: list[str] = []
    real = Broken(hang=True)
    bench = live(nodes=RESTBUS, port=None, real=real, say=said.append, speed=20.0)
    wait(bench, lambda: bench.status().adapter_dropped > 100)
    assert any("too slow" in line for line in said)
    real.released.set()


def test_a_node_that_is_real_and_virtual_is_told(live: MakeBench, wire: can.BusABC) -> None:
    said: list[str] = []
    bench = live(nodes=RESTBUS, port=None, real=near_end(wire), say=said.append)
    for _ in range(2):
        wire.send(can.Message(arbitration_id=0x0A0, data=bytes(8), is_extended_id=False))
    adapter = bench.adapter
    assert adapter is not None
    wait(bench, lambda: adapter.received == 2)
    (line,) = [line for line in said if "0A0" in line]
    assert "the real bus sends id 0A0, which the virtual PEDALS sends too: use --without PEDALS" in line
