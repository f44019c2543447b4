"""Compiled cycles against the same through Python: the same bus, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bus import Frame
from hil.bus.bits import frame_bits
from hil.nodes.rounds import NOTHING, Rounds
from hil.tests.nodes.conftest import Rig

COMPILED = ["ESC", "INV_F", "INV_R", "PEDALS"]

HAPPENINGS: dict[str, Callable[[Rig], object]] = {
    "sensor": lambda rig: rig.faults.sensor("INV_F", "speed_radps", offset=20.0, duration_ms=25),
    "actuator": lambda rig: rig.faults.actuator("INV_R", "target_torque_nm", gain=0.5, duration_ms=25),
    "lose": lambda rig: rig.faults.lose("EscMotion", count=3),
    "delay": lambda rig: rig.faults.delay("PedalsDriver", 4.0, count=3),
    "wrong command": lambda rig: rig.faults.wrong_crc("VcuInvFrontCommand", count=2),
    "destroy": lambda rig: rig.faults.destroy("InvRearStatus", count=2),
    "power cut": lambda rig: rig.faults.power_cut("INV_F", duration_ms=30),
    "wire cut": lambda rig: rig.faults.wire_cut("ESC", duration_ms=30),
    "dominant": lambda rig: rig.faults.bus_dominant(duration_ms=3),
    "contactors": lambda rig: rig.hv.set(HvRequest="Off"),
    "silence": lambda rig: setattr(rig.command, "on", False),
    "pedal": lambda rig: setattr(rig.pedals, "pedal_percent", 73.0),
    "brake": lambda rig: setattr(rig.pedals, "brake_bar", 180.0),
    "ice": lambda rig: rig.plant.set_friction(0.1),
    "park": lambda rig: setattr(rig.pedals, "gear", "P"),
    "abs": lambda rig: setattr(rig.esc, "abs_forced", True),
    "limit": lambda rig: setattr(rig.esc, "torque_max_nm", 100.0),
    "trip": lambda rig: rig.front.inject("Resolver"),
}


def happen(rig: Rig, name: str) -> None:
    HAPPENINGS[name](rig)


def drive(seed: int, happenings: list[tuple[int, str]]) -> tuple[Rig, object]:
    """A car that drives with torque while things happen, each at its time in ms; all that can be seen of it."""
    rig = Rig(seed=seed)
    rig.bus.untap(rig.bus._taps[0])  # who taps the bus sees each frame in Python
    log: list[tuple[int, int]] = []
    for can_id in range(0x80, 0x182):
        rig.vcu.subscribe_words(can_id, lambda length, data, can_id=can_id: log.append((rig.now_ns + can_id, data)))  # type: ignore[misc]
    rig.ready()
    for command in (rig.command, rig.rear_command):
        command.set(Mode="Torque", TorqueRequest=120.0)
    for time_ms, name in sorted(happenings):
        rig.kernel.at(rig.now_ns + time_ms * 1_000_000 + 123, partial(happen, rig, name))
    rig.run_ms(250)
    return rig, (log, bytes(rig.plant), rig.front.state, rig.rear.state, rig.pedals.abs_share)


def compiled_groups(rig: Rig) -> list[str]:
    return sorted(node.name for node in rig.nodes.values() for group in node._groups if group.slot != NOTHING)


def test_a_quiet_bus_is_served_by_compiled_code() -> None:
    rig, _ = drive(1, [])
    assert compiled_groups(rig) == COMPILED


@settings(max_examples=40)
@given(st.integers(0, 5), st.lists(st.tuples(st.integers(0, 200), st.sampled_from(sorted(HAPPENINGS))), max_size=4))
def test_both_ways_give_the_same(seed: int, happenings: list[tuple[int, str]]) -> None:
    _, compiled = drive(seed, happenings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rounds, "enter", lambda *_: False)
        rig, plain = drive(seed, happenings)
    assert compiled_groups(rig) == []
    assert compiled == plain


@pytest.mark.parametrize("name", ["sensor", "lose", "destroy", "power cut", "wire cut", "dominant"])
def test_after_a_fault_the_cycles_are_compiled_again(name: str) -> None:
    rig, _ = drive(1, [(20, name)])
    rig.until(lambda: compiled_groups(rig) == COMPILED)


def test_a_fault_takes_effect_with_the_next_frame(ready: Rig) -> None:
    ready.run_ms(15)
    assert compiled_groups(ready) == COMPILED
    begin_ns = ready.now_ns
    ready.faults.sensor("INV_F", "speed_radps", offset=500.0)
    ready.run_ms(11)
    assert ready.frames("InvFrontStatus", begin_ns)
    assert ready.latest("InvFrontStatus").Speed == pytest.approx(500.0 * 9.549, abs=2.0)


def test_a_frame_that_the_bus_cannot_take_goes_through_python(ready: Rig) -> None:
    """Another node sends the same id for the same start of frame: both collide on the wire, as on a real bus."""
    foreign = ready.bus.attach("FOREIGN")
    for name in ("INV_R", "BMS", "PEDALS", "ESC"):
        ready.nodes[name].power_off()
    for sender in (ready.command, ready.rear_command, ready.hv, ready.status):
        sender.on = False
    foreign.send(Frame(0x7FE, b""))  # a good frame, after which no error counter of a broken-off one is left
    ready.until(lambda: compiled_groups(ready) == ["INV_F"])
    group = next(group for group in ready.front._groups if group.slot != NOTHING)
    assert ready.front._rounds is not None
    due_ns = ready.front._rounds._table.due_ns[group.slot]
    first, same = Frame(0x7FF, bytes(8)), Frame(group.messages[0].can_id, bytes(8))
    # The first frame ends 3 us before the inverter's cycle, so the foreign one is chosen and starts 3 us after it.
    start_ns = due_ns - 3_000 - frame_bits(first) * ready.bus.bit_ns
    ready.kernel.at(start_ns, lambda: void(ready.vcu.send(first)))
    ready.kernel.at(start_ns + 20_000, lambda: void(foreign.send(same)))
    ready.kernel.run_until(due_ns - 1)
    assert ready.log[-1][1] == first
    before = len(ready.frames("InvFrontStatus")), len(ready.frames("InvFrontLimits"))
    ready.run_ms(3)
    assert len(ready.frames("InvFrontStatus")) >= before[0] + 2
    assert len(ready.frames("InvFrontLimits")) == before[1] + 1
    assert foreign.tec > 0  # both sent, with different data
    assert compiled_groups(ready) == []


def void(_: object) -> None:
    """Drop a result."""
