"""Compiled packing, checking and unpacking against the host's codec and E2E protection."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus.frame import signed
from hil.native import memory
from hil.nodes.layout import is_plain, layout_of, pack, take
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Checker, Protector, Verdict

PLAIN = sorted(name for name, message in powertrain().messages.items() if is_plain(message))
NUMBERS = st.floats(-1e5, 1e5) | st.integers(-70_000, 70_000) | st.just(math.nan) | st.just(math.inf) | st.booleans()


def test_every_message_of_the_virtual_nodes_can_be_compiled() -> None:
    nodes = ("INV_F", "INV_R", "BMS", "PEDALS", "ESC")
    sent = {message.name for message in powertrain().messages.values() if message.sender in nodes}
    assert sent <= set(PLAIN)


@given(st.sampled_from(PLAIN), st.data())
def test_frames_are_those_of_codec_and_protector(name: str, data: st.DataObject) -> None:
    message = powertrain().messages[name]
    layout = layout_of(message)
    protector = Protector(message.e2e.data_id) if message.e2e else None
    for _ in range(3):
        values = data.draw(st.tuples(*[NUMBERS] * layout.signals))
        layout.values[: layout.signals] = [float(value) for value in values]
        expected = codec(name).pack(*values)
        if protector is not None:
            expected = protector.protect(expected)
        assert (pack(memory(layout)) % (1 << 64)).to_bytes(8, "little") == expected


@given(st.sampled_from(PLAIN), st.binary(min_size=8, max_size=8))
def test_values_are_those_of_the_codec(name: str, payload: bytes) -> None:
    message = powertrain().messages[name]
    layout = layout_of(message)
    layout.protected = False
    assert take(memory(layout), 8, signed(int.from_bytes(payload, "little")))
    assert tuple(layout.values[: layout.signals]) == tuple(codec(name).unpack(payload))


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=60))
def test_verdicts_are_those_of_the_checker(frames: list[tuple[int, int]]) -> None:
    """Counters at random, a wrong CRC now and then, a wrong length once."""
    message = powertrain().messages["VcuInvFrontCommand"]
    assert message.e2e is not None
    layout = layout_of(message)
    checker = Checker(message.e2e.data_id, message.e2e.max_delta)
    for counter, chance in frames:
        protector = Protector(message.e2e.data_id, counter)
        payload = bytearray(protector.protect(bytes(8)))
        if chance == 0:
            payload[0] ^= 1
        data = bytes(payload[: 7 if chance == 1 else 8])
        good = take(memory(layout), len(data), signed(int.from_bytes(data, "little")))
        verdict = checker.check(data)
        assert (Verdict(layout.verdict), bool(good)) == (verdict, verdict.good)
        if good:
            assert layout.counter == counter


@pytest.mark.parametrize("length", [0, 7])
def test_a_short_frame_is_bad(length: int) -> None:
    layout = layout_of(powertrain().messages["VcuInvFrontCommand"])
    assert not take(memory(layout), length, 0)
    assert layout.verdict == Verdict.WRONG_LENGTH
