"""The host's codec: physical values, rounding, clamping."""

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cantools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinaxle.dbc import Database, load_database, powertrain
from twinaxle.dbc.codec import MessageCodec, codec, field_names
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.dbc.model import Message

REFERENCE: Any = cantools.database.load_file(POWERTRAIN)
messages = st.sampled_from(list(powertrain().messages.values()))


@given(messages, st.data())
def test_physical_values_are_those_of_cantools(message: Message, data: st.DataObject) -> None:
    """Any value inside the raw range, not only whole steps."""
    values, exact = {}, {}
    for signal in message.application_signals:
        raw = data.draw(st.integers(signal.raw_minimum, signal.raw_maximum))
        off = data.draw(st.sampled_from([0.0, 0.3, -0.3])) if signal.raw_minimum < raw < signal.raw_maximum else 0.0
        values[signal.name] = (raw + off) * signal.factor + signal.offset
        exact[signal.name] = raw
    frame = codec(message.name).pack(**values)
    assert frame == codec(message.name).pack(*values.values())
    assert codec(message.name).unpack_raw(frame)._asdict() == exact
    decoded = REFERENCE.decode_message(message.frame_id, frame, decode_choices=False)
    for name, value in codec(message.name).unpack(frame)._asdict().items():
        assert value == pytest.approx(decoded[name], rel=1e-12, abs=1e-12)
        assert isinstance(value, int) == isinstance(decoded[name], int)


@given(messages, st.floats() | st.integers())
def test_anything_is_clamped_to_the_bits(message: Message, value: float) -> None:
    names = [signal.name for signal in message.application_signals]
    raw = codec(message.name).unpack_raw(codec(message.name).pack(**dict.fromkeys(names, value)))
    for signal, got in zip(message.application_signals, raw, strict=True):
        wanted = 0.0 if math.isnan(value) else (value - signal.offset) / signal.factor
        wanted = min(max(wanted, signal.raw_minimum), signal.raw_maximum)
        assert abs(got - wanted) <= 0.5 + 1e-6


def test_left_out_values_are_the_start_values() -> None:
    values = codec("PedalsDriver").unpack(codec("PedalsDriver").pack(OnePedal=True))
    assert (values.Gear, values.Apps1, values.Apps2, values.BrakePressure, values.OnePedal) == (7, 500, 250, 0.0, 1)
    assert codec("PedalsDriver").unpack_raw(codec("PedalsDriver").pack_raw(Gear=3)).Apps1 == 0


def test_values_without_scaling_are_integers_and_decimal_ones_are_exact() -> None:
    values = codec("InvFrontStatus").unpack(codec("InvFrontStatus").pack(TorqueActual=-123.4, Speed=-8000))
    assert isinstance(values.Speed, int)
    assert (values.TorqueActual, values.Speed) == (-123.4, -8000)


def test_wrong_use() -> None:
    with pytest.raises(TypeError):
        codec("PedalsDriver").pack(Geer=3)
    with pytest.raises(TypeError):
        codec("PedalsDriver").pack(*range(9))
    with pytest.raises(ValueError, match="PedalsDriver: 7 bytes instead of 8"):
        codec("PedalsDriver").unpack(bytes(7))
    with pytest.raises(KeyError):
        codec("NoSuchMessage")


def test_a_longer_frame_is_read_from_its_beginning() -> None:
    frame = codec("PedalsDriver").pack(Apps1=1234)
    assert codec("PedalsDriver").unpack(frame + b"\xff") == codec("PedalsDriver").unpack(frame)


def test_floats(load_text: Callable[[str], Database]) -> None:
    message = load_database(Path(__file__).parent / "data" / "awkward.dbc").messages["Floats"]
    floats = MessageCodec(message)
    assert floats.unpack(floats.pack(1.5, -0.25)) == (1.5, -0.25)
    assert floats.unpack(floats.pack(1e300, -1e300)) == (math.inf, -math.inf)


def test_multiplexed_signals_that_are_not_there_are_none() -> None:
    message = load_database(Path(__file__).parent / "data" / "multiplexed.dbc").messages["Nested"]
    nested = MessageCodec(message)
    values = nested.unpack(nested.pack(Outer=1, Inner=9, Deep=-7, Other=5))
    assert values._asdict() == {"Outer": 1, "Inner": 9, "Deep": -7, "Deeper": None, "Other": None, "Ranges": None}


@given(st.lists(st.from_regex(r"[A-Za-z_]\w{0,3}", fullmatch=True).filter(str.isascii), unique=True, max_size=12))
def test_field_names_are_valid_and_different(names: list[str]) -> None:
    from collections import namedtuple

    fields = field_names(names)
    assert list(fields) == names
    assert len(set(fields.values())) == len(names)
    namedtuple("Check", list(fields.values()))
    assert field_names(["class", "class_", "_x", "x", "Speed"])["Speed"] == "Speed"


FD = """VERSION ""
NS_ :
BS_:
BU_: A B

BO_ 100 Long: 64 A
 SG_ First : 0|12@1- (0.5,0) [-1024|1023.5] "V" B
 SG_ Late : 471|12@0- (0.1,3) [-201.8|207.7] "A" B
 SG_ Float : 480|32@1- (1,0) [0|0] "" B

SIG_VALTYPE_ 100 Float : 1;
"""


@settings(deadline=None)
@given(noise=st.binary(min_size=60, max_size=60), number=st.floats(width=32, allow_nan=False))
def test_frames_of_can_fd_are_those_of_cantools(
    load_text: Callable[[str], Database], noise: bytes, number: float
) -> None:
    long = MessageCodec(load_text(FD).messages["Long"])
    reference = cantools.database.load_string(FD, "dbc").get_message_by_name("Long")
    decoded = reference.decode(noise + struct.pack("<f", number))
    assert long.unpack(noise + struct.pack("<f", number))._asdict() == pytest.approx(decoded)
    assert long.pack(**decoded) == reference.encode(decoded)
