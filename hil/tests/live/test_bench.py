"""The live bench itself: pace, status, who plays which node, log."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import can
import pytest

from hil.bus import Frame
from hil.live.bench import NODES, LiveBench
from hil.live.scenario import scenario
from hil.tests.live.conftest import wait
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Protector
from twinaxle.errors import UserError

MakeBench = Callable[..., LiveBench]

QUIET = ("INV_F", "INV_R", "BMS", "ESC")


def test_bench_time_is_the_wall_clocks(live: MakeBench) -> None:
    """Never ahead of it, and behind by what was told as lost and a tenth of a second at most."""
    bench = live(nodes=QUIET)
    bench.run(0.001)
    pacer, kernel = bench.loop.pacer, bench.kernel

    def look() -> tuple[float, float, float]:
        """The wall clock before and after it was asked for the bench time, and that without what was lost, s."""
        before_s = time.perf_counter()
        due_ns = pacer.due_ns(kernel.now_ns)
        after_s = time.perf_counter()
        assert kernel.now_ns <= due_ns <= kernel.now_ns + 100_000_000
        return before_s, after_s, due_ns * 1e-9 + pacer.lost_s

    first_before_s, first_after_s, first_s = look()
    for _ in range(20):
        bench.run(0.05)
        before_s, after_s, due_s = look()
        assert before_s - first_after_s - 1e-6 <= due_s - first_s <= after_s - first_before_s + 1e-6
    assert kernel.now_ns == 1_001_000_000


LOADED = """\
import gc, sys
from numba.core.dispatcher import Dispatcher
from hil.live.bench import LiveBench

def loaded():
    return sum(len(one.overloads) for one in gc.get_objects() if isinstance(one, Dispatcher))

with LiveBench(nodes=sys.argv[1].split(",")) as bench:
    bench.begin()
    before = loaded()
    bench.run(0.5)
    print(before > 0, loaded() - before)
"""


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="nothing is compiled")
@pytest.mark.parametrize("nodes", ["INV_F,INV_R,BMS,PEDALS,ESC", "VCU"])
def test_no_code_is_compiled_or_loaded_while_time_is_paced(nodes: str) -> None:
    command = [sys.executable, "-c", LOADED, nodes]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert (done.stdout, done.stderr) == ("True 0\n", "")


def test_a_host_that_cannot_keep_up_is_told(live: MakeBench) -> None:
    bench = live(nodes=QUIET)
    bench.run(0.05)
    calm = bench.status()
    bench.kernel.after(10_000_000, lambda: time.sleep(0.35))
    bench.run(0.2)
    status = bench.last_status
    assert status is not None
    assert status.lost_lately_s == pytest.approx(status.lost_s - calm.lost_s)
    assert status.lost_lately_s > 0.2
    assert status.late_worst_ms > 300
    assert bench.status().lost_lately_s == 0.0


def test_status(live: MakeBench) -> None:
    bench = live(speed=3.0, scenario=scenario("pedal", 30))
    seen: list[float] = []
    bench.run(every_s=0.05, on_status=lambda status: seen.append(status.time_s), until=lambda: len(seen) > 3)
    assert seen == sorted(seen)
    wait(bench, lambda: bench.car.plant.speed_mps > 3)
    bench.run(0.3)
    status = bench.last_status
    assert status is not None
    assert status.vcu_state == "Drive"
    assert status.speed_kmh > 10
    assert status.pedal_percent == 30
    assert 0.2 < status.bus_load < 0.35
    assert (status.clients, status.dropped, status.adapter_dropped, status.log_dropped) == (0, 0, 0, 0)
    assert bench.oracle is not None
    assert bench.oracle.violations == []


def test_same_seed_same_start(live: MakeBench) -> None:
    logs: list[list[tuple[int, Frame]]] = [[], []]
    for log in logs:
        bench = live(seed=7, nodes=QUIET)
        bench.car.bus.tap(partial(_note, log))
        bench.run(0.2)
    assert logs[0] == logs[1]


def _note(log: list[tuple[int, Frame]], time_ns: int, frame: Frame, _sender: str) -> None:
    log.append((time_ns, frame))


@pytest.mark.parametrize("suffix", [".blf", ".asc"])
def test_the_log_has_every_frame(live: MakeBench, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bus{suffix}"
    bench = live(nodes=QUIET, log=path)
    sent: list[tuple[int, Frame]] = []
    bench.car.bus.tap(lambda time_ns, frame, sender: sent.append((time_ns, frame)))
    bench.run(0.5)
    bench.close()
    logged = list(can.LogReader(path))
    assert [Frame(message.arbitration_id, bytes(message.data)) for message in logged] == [frame for _, frame in sent]
    assert [message.timestamp for message in logged] == pytest.approx([t * 1e-9 for t, _ in sent], abs=2e-6)
    assert bench.log is not None
    assert bench.log.written == len(sent) == bench.frames


def test_a_log_that_fails_ends_the_bench(live: MakeBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(self: can.ASCWriter, msg: can.Message) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(can.ASCWriter, "on_message_received", full)
    with (
        pytest.raises(UserError, match=r"bus.asc: the log ends after 0 frames.*No space left"),
        live(nodes=QUIET, log=tmp_path / "bus.asc") as bench,
    ):
        bench.run(10)


def test_what_cannot_be_is_said_and_leaves_nothing_open(live: MakeBench, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no virtual node 'ECS'"):
        live(nodes=("ECS",))
    with pytest.raises(UserError, match="a scenario needs the virtual PEDALS"):
        live(nodes=QUIET, scenario=scenario("drive"))
    first = live(nodes=QUIET)
    assert first.hub is not None
    with can.Bus(interface="virtual", channel="left open") as real, pytest.raises(UserError, match="is taken"):
        live(nodes=QUIET, port=first.hub.port, log=tmp_path / "a.blf", real=real)
    with pytest.raises(UserError, match="no log format"):
        live(nodes=QUIET, log=tmp_path / "a.foo")


# --- units that others play ---


class Impostor:
    """Sends messages of a node that is not virtual, as a client would, from a port of its own."""

    def __init__(self, bench: LiveBench) -> None:
        self.bench = bench
        self.port = bench.car.bus.attach("IMPOSTOR")
        bench.car.bus.attach("LISTENER")  # for the acknowledge
        self.protectors: dict[str, Protector] = {}

    def send(self, name: str, **values: float) -> None:
        message = powertrain().messages[name]
        assert message.e2e is not None
        protector = self.protectors.setdefault(name, Protector(message.e2e.data_id))
        for _ in range(3):  # the first only begins the counting
            self.port.send(Frame(message.frame_id, protector.protect(codec(name).pack(**values))))
            self.bench.kernel.run_until(self.bench.kernel.now_ns + 1_000_000)


@pytest.fixture
def empty(live: MakeBench) -> Impostor:
    """A bench without nodes, and the impostor."""
    return Impostor(live(nodes=(), port=None))


def test_the_foreign_drivers_brake_and_selector_act(empty: Impostor) -> None:
    plant = empty.bench.car.plant
    assert plant.parking_lock
    empty.send("PedalsDriver", Gear=3, BrakePressure=40)
    assert not plant.parking_lock
    assert plant.brake_pressure_bar == 40
    empty.send("PedalsDriver", Gear=0, BrakePressure=0)
    assert plant.parking_lock
    assert plant.brake_pressure_bar == 0


def test_the_foreign_battery_closes_the_contactors(empty: Impostor) -> None:
    plant = empty.bench.car.plant
    for raw, precharge, main in ((1, True, False), (2, False, True), (3, False, True), (0, False, False)):
        empty.send("BmsPack", ContactorState=raw)
        assert (plant.precharge_closed, plant.main_closed) == (precharge, main)


def test_the_foreign_inverter_turns_its_axle(empty: Impostor) -> None:
    axle = empty.bench.car.plant.rear
    empty.send("InvRearStatus", TorqueActual=50, GatesOn=1)
    assert axle.target_torque_nm == 50
    assert axle.gates_on
    empty.send("InvRearStatus", TorqueActual=50, GatesOn=0)
    assert axle.target_torque_nm == 0
    assert not axle.gates_on


def test_bad_frames_and_strangers_move_nothing(empty: Impostor) -> None:
    plant = empty.bench.car.plant
    empty.port.send(Frame(0x0A0, bytes(8)))
    empty.port.send(Frame(0x0A0, b"\x01"))
    empty.port.send(Frame(0x0A0, codec("PedalsDriver").pack(BrakePressure=40), True))
    empty.bench.kernel.run_until(5_000_000)
    assert plant.brake_pressure_bar == 0


def test_frames_that_are_too_short_hurt_nobody(live: MakeBench) -> None:
    bench = live(speed=3.0, scenario=scenario("drive"))
    port = bench.car.bus.attach("HOSTILE")
    wait(bench, lambda: bench.status().vcu_state == "Drive")
    for message in powertrain().messages.values():
        for length in (0, 1, 7):
            port.send(Frame(message.frame_id, bytes(length)))
    bench.run(0.3)
    assert bench.status().vcu_state


def test_garbage_on_every_id_hurts_nobody(live: MakeBench) -> None:
    bench = live(speed=5.0, scenario=scenario("drive"))
    bench.car.bus.attach("HOSTILE")
    draw = random.Random(1)
    ids = [message.frame_id for message in powertrain().messages.values()]

    def babble() -> None:
        frame = Frame(draw.choice(ids), draw.randbytes(draw.randrange(9)), is_remote=draw.random() < 0.1)
        bench.car.bus.ports["HOSTILE"].send(frame)
        bench.kernel.after(2_000_000, babble)

    bench.kernel.after(1_000_000_000, babble)
    bench.run(3.0)
    assert bench.car.board is not None
    assert bench.car.board.alive
    assert not any("Traceback" in line.text for line in bench.car.board.console)


def test_nodes_are_those_of_the_protocol() -> None:
    assert set(NODES) == set(powertrain().nodes) - {"TESTER"}
