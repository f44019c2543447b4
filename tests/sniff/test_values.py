"""Signals as text, against cantools; bits of signals against encoding."""

from pathlib import Path
from typing import Any

import cantools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinaxle.dbc import Database, load_database, powertrain
from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.model import Message, Signal
from twinaxle.sniff.values import Decoder, signal_mask

REFERENCE: Any = cantools.database.load_file(POWERTRAIN)
AWKWARD = [load_database(path) for path in sorted((Path(__file__).parents[1] / "dbc" / "data").glob("*.dbc"))]
MESSAGES = [message for database in [powertrain(), *AWKWARD] for message in database.messages.values()]


@settings(deadline=None)
@given(st.sampled_from(list(powertrain().messages.values())), st.binary(min_size=8, max_size=8))
def test_values_and_names_are_those_of_cantools(message: Message, data: bytes) -> None:
    decoded = REFERENCE.decode_message(message.frame_id, data)
    assert isinstance(decoded, dict)
    readings = Decoder(message).read(data)
    assert [r.signal.name for r in readings] == [s.name for s in message.application_signals]
    for reading in readings:
        value = decoded[reading.signal.name]
        if isinstance(value, str | cantools.database.namedsignalvalue.NamedSignalValue):
            assert (reading.text, reading.unit) == (str(value), "")
        else:
            assert reading.value == pytest.approx(value)
            assert float(reading.text) == pytest.approx(value, abs=1e-9)
            assert reading.unit == reading.signal.unit


SIGNALS = [
    (message, signal)
    for message in MESSAGES
    if not Decoder(message).problem
    for signal in message.application_signals
    if not (signal.mux or signal.is_selector or signal.is_float)
]


@pytest.mark.parametrize(("message", "signal"), SIGNALS, ids=[f"{m.name}.{s.name}" for m, s in SIGNALS])
def test_the_mask_has_the_bits_that_encoding_sets(message: Message, signal: Signal) -> None:
    codec = MessageCodec(message)
    field = codec.fields[signal.name]
    ones = -1 if signal.raw_minimum < 0 else signal.raw_maximum
    changed = [int.from_bytes(codec.pack_raw(**{field: value}), "little") for value in (0, ones)]
    assert changed[0] ^ changed[1] == signal_mask(signal, message.length)


def test_decimals_follow_from_factor_and_offset(database: Database) -> None:
    engine, extended = database.messages["Engine"], database.messages["Extended"]
    mode, speed, oil = Decoder(engine).read(bytes.fromhex("0010C90000000000"))
    assert [mode.shown, speed.shown, oil.shown] == ["On", "100.5 rpm", "-40 degC"]
    level, ratio = Decoder(extended).read(bytes.fromhex("03000700"))
    assert [level.shown, ratio.shown] == ["0.75 %", "7"]


def test_values_outside_the_range_of_the_dbc_are_told(database: Database) -> None:
    mode, speed, oil = Decoder(database.messages["Engine"]).read(bytes.fromhex("0030D10700FF0000"))
    assert (mode.text, mode.out_of_range) == ("3", True)
    assert (speed.shown, speed.out_of_range) == ("1000.5 rpm", True)
    assert (oil.shown, oil.out_of_range) == ("-40 degC", False)


def test_a_short_frame_has_no_signals_and_a_long_one_of_can_fd_has(database: Database) -> None:
    assert Decoder(database.messages["Engine"]).read(bytes(7)) == ()
    (far,) = Decoder(database.messages["Long"]).read(bytes(63) + b"\x2a")
    assert (far.text, far.mask) == ("42", 0xFF << 504)


def test_multiplexed_signals_come_with_their_selector() -> None:
    nested = next(d.messages["Nested"] for d in AWKWARD if "Nested" in d.messages)
    codec = MessageCodec(nested)
    names = {r.signal.name for r in Decoder(nested).read(codec.pack(Outer=1, Inner=9, Deep=-7))}
    assert names == {"Outer", "Inner", "Deep"}
