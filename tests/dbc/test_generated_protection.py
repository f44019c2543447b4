"""E2E in the generated codec, in real MicroPython: against autosar-e2e and against the host's receiver."""

import random
from pathlib import Path
from typing import Any

import pytest
from e2e.p01 import e2e_p01_protect
from hypothesis import given, settings
from hypothesis import strategies as st

from twinaxle.dbc import load_database, powertrain
from twinaxle.dbc.layout import Entry
from twinaxle.e2e import Checker, Protector, Verdict, crc8_j1850, crc_seed

PROTECTED = Path(__file__).parent / "data" / "protected.dbc"


def signed(entry: Entry, counter: int, payload: bytes) -> bytes:
    """A frame of the message with any counter, 15 included, and a good CRC."""
    spec = entry.message.e2e
    assert spec
    data = bytearray(payload[: entry.message.length])
    data[1] = data[1] & 0xF0 | counter
    data[0] = crc8_j1850(data[1:], crc_seed(spec.data_id))
    return bytes(data)


@pytest.mark.req("SF-01")
def test_sent_frames_are_those_of_the_reference(device: Any) -> None:
    """Every protected message of both files: counter 0 to 14 and round, CRC by autosar-e2e."""
    rng = random.Random(3)
    for database in (powertrain(), load_database(PROTECTED)):
        layout = device.load(database)
        for entry in layout.sent:
            if entry.message.e2e is None:
                continue
            slots = [[piece.slot, rng.randrange(2)] for pieces in entry.slots.values() for piece in pieces]
            answers = device.run(*(["pack", device.place(entry), slots] for _ in range(17)))
            frames = [bytes.fromhex(text)[: entry.message.length] for text in answers]
            assert [frame[1] & 0x0F for frame in frames] == [*range(15), 0, 1]
            for frame in frames:
                reference = bytearray(frame)
                reference[0] = 0
                e2e_p01_protect(reference, entry.message.e2e.data_id, increment_counter=False)
                assert frame == reference


steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 4), st.integers(0, 15)),  # step of the counter
        st.sampled_from(["good"] * 8 + ["crc", "fifteen", "short", "other message"]),
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.req("SF-01")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_received_frames_get_the_verdict_of_the_host(data: st.DataObject, device: Any) -> None:
    """Sequences of good, lost, repeated, damaged frames: same verdict, slots taken and age cleared only if good."""
    layout = device.load(load_database(PROTECTED))
    entry = data.draw(st.sampled_from(layout.received))
    message, spec = entry.message, entry.message.e2e
    assert spec
    checker = Checker(spec.data_id, spec.max_delta, message.length)
    rng = random.Random(data.draw(st.integers(0, 99)))
    counter = 0
    last_good: list[int] | None = None
    start = device.run(["get", "rx"])[0]
    for step, kind in data.draw(steps):
        counter = (counter + step) % 15
        frame = signed(entry, counter, rng.randbytes(8))
        if kind == "crc":
            frame = bytes([frame[0] ^ 1 << rng.randrange(8)]) + frame[1:]
        elif kind == "fifteen":
            frame = signed(entry, 15, frame)
        elif kind == "short":
            frame = frame[:-1]
        elif kind == "other message":
            frame = Protector(spec.data_id ^ 0x100, counter).protect(frame)
        wanted = checker.check(frame)
        _, (verdict, slots), ages = device.run(
            ["call", "tick", 10], ["accept", entry.key, frame.hex(), len(frame)], ["get", "ages"]
        )
        assert Verdict(verdict) == wanted
        assert (ages[entry.index] == 0) == wanted.good
        if wanted.good:
            last_good = slots
        assert slots == (last_good or start)


def test_check_value_on_the_device(device: Any) -> None:
    """An all-zero frame with DataID 0x123 and counter 0 has the CRC 0xCC; message Five has that DataID."""
    layout = device.load(load_database(PROTECTED))
    entry = layout.sent[1]
    assert entry.message.e2e and entry.message.e2e.data_id == 0x123
    (text,) = device.run(["pack", device.place(entry), [[piece.slot, 0] for piece in entry.slots["Rest"]]])
    wanted = Protector(0x123).protect(bytes(5))
    assert bytes.fromhex(text)[:5] == wanted
    assert crc8_j1850(bytes(7), crc_seed(0x123)) == 0xCC


def test_wrong_identifiers_and_lengths_are_refused(device: Any) -> None:
    layout = device.load(powertrain(), "VCU")
    frame = signed(layout.received[0], 0, bytes(8)).hex()
    before = device.run(["get", "rx"])[0]
    for entry in layout.sent:
        assert device.run(["accept", entry.key, frame, 8]) == [[9, before]]
    for length in (0, 7, 9, 15, -1):
        assert device.run(["accept", layout.received[0].key, frame, length]) == [[8, before]]
