"""Both codecs, the host's and the generated one in real MicroPython, against cantools on made and on awkward DBCs."""

import random
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cantools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinaxle.dbc import Database, Message, Signal, load_database
from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.database import POWERTRAIN

DATA = Path(__file__).parent / "data"
FIXED = [POWERTRAIN, *sorted(DATA.glob("*.dbc"))]
FRAMES = 6  # of each message and example


@cache
def references(text: bytes) -> Any:
    """cantools' database."""
    return cantools.database.load_string(text.decode("cp1252"), "dbc", strict=True)


def reference(path: Path, message: Message) -> Any:
    """cantools' message."""
    key = (message.frame_id, message.is_extended)
    return next(m for m in references(path.read_bytes()).messages if (m.frame_id, m.is_extended_frame) == key)


def as_raw(signal: Signal, value: Any) -> int:
    """cantools' unscaled value as the integer in the frame."""
    if not signal.is_float:
        return int(value)
    letters = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}[signal.length]
    return int(struct.unpack(letters[1], struct.pack(letters[0], value))[0])


def carried(message: Message, raw: dict[str, int]) -> set[str]:
    """Names of the signals that a frame with these raw values has."""

    def is_there(signal: Signal) -> bool:
        if signal.mux is None:
            return True
        hit = any(low <= raw[signal.mux] <= high for low, high in signal.mux_values)
        return hit and is_there(message.signal(signal.mux))

    return {signal.name for signal in message.signals if is_there(signal)}


def random_values(message: Message, rng: random.Random) -> dict[str, int]:
    """Raw values, also at their limits; selectors mostly at values that select something."""
    raw = {}
    for signal in message.application_signals:
        low, high = signal.raw_minimum, signal.raw_maximum
        raw[signal.name] = rng.choice([low, high, 0, rng.randint(low, high), rng.randint(low, high)])
        spans = [span for one in message.signals if one.mux == signal.name for span in one.mux_values]
        if spans:
            raw[signal.name] = rng.choice(rng.choice(spans))
        elif signal.is_float:
            number = rng.choice([0.0, -1.5, rng.uniform(-1e3, 1e3)])
            raw[signal.name] = as_raw(signal, number)
    return raw


def check_message(message: Message, path: Path, device: Any, layout: Any, rng: random.Random) -> None:
    parsed = reference(path, message)
    codec = MessageCodec(message)
    names = [signal.name for signal in message.application_signals]
    fields = codec.fields
    received = next(entry for entry in layout.received if entry.message.key == message.key)
    sent = next(entry for entry in layout.sent if entry.message.key == message.key)

    values = [random_values(message, rng) for _ in range(FRAMES)]
    wanted = [encode(parsed, message, raw) for raw in values]
    assert [codec.pack_raw(**{fields[name]: value for name, value in raw.items()}) for raw in values] == wanted
    frames = device.pack(sent, values)
    if message.e2e:
        frames = [bytes(1) + bytes([frame[1] & 0xF0]) + frame[2:] for frame in frames]
    assert frames == wanted

    noise = [] if message.e2e else [rng.randbytes(message.length) for _ in range(FRAMES)]
    on_device = device.unpack(received, [] if message.e2e else wanted + noise)
    for at, frame in enumerate(wanted + noise):
        here = codec.unpack_raw(frame)
        try:
            decoded = parsed.decode(frame, decode_choices=False, scaling=False)
        except (cantools.database.DecodeError, struct.error):
            assert at >= FRAMES  # noise in a selector
            continue
        there = {name: decoded[name] for name in names if name in decoded}
        assert {name for name in names if getattr(here, fields[name]) is not None} == set(there)
        for name, value in there.items():
            signal = message.signal(name)
            if value == value:  # not NaN, which has many bit patterns
                assert getattr(here, fields[name]) == as_raw(signal, value)
            if not message.e2e:
                assert on_device[at][name] == getattr(here, fields[name])


def encode(parsed: Any, message: Message, raw: dict[str, int]) -> bytes:
    """cantools' frame for raw values."""
    data: dict[str, Any] = {}
    for name in carried(message, raw | {"Crc": 0, "Counter": 0}):
        signal = message.signal(name)
        data[name] = raw.get(name, 0)
        if signal.is_float:
            letters = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}[signal.length]
            data[name] = struct.unpack(letters[0], struct.pack(letters[1], data[name]))[0]
    return bytes(parsed.encode(data, scaling=False, strict=False))


@pytest.mark.parametrize("path", FIXED, ids=lambda path: path.stem)
def test_fixed_files(path: Path, device: Any) -> None:
    database = load_database(path)
    layout = device.load(database)
    rng = random.Random(7)
    for _ in range(3):
        for message in database.messages.values():
            check_message(message, path, device, layout, rng)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_made_files(
    data: st.DataObject, made_dbc: st.SearchStrategy[str], load_text: Callable[[str], Database], device: Any
) -> None:
    database = load_text(data.draw(made_dbc))
    layout = device.load(database)
    rng = random.Random(data.draw(st.integers(0, 1 << 16)))
    for message in database.messages.values():
        check_message(message, database.path, device, layout, rng)


def test_device_clamps_what_does_not_fit(device: Any) -> None:
    """A torque past its range must not turn its sign."""
    database = load_database(POWERTRAIN)
    layout = device.load(database, "VCU")
    entry = next(one for one in layout.sent if one.message.name == "VcuInvFrontCommand")
    for asked, wanted in (
        (40_000, 32_767),
        (-40_000, -32_768),
        (32_768, 32_767),
        (-32_769, -32_768),
        (1 << 29, 32_767),
        (-5, -5),
    ):
        (frame,) = device.pack(entry, [{"TorqueRequest": asked}])
        assert int.from_bytes(frame[2:4], "little", signed=True) == wanted
    for asked, wanted in ((5000, 4095), (4096, 4095), (-1, 0), (4095, 4095)):
        (frame,) = device.pack(entry, [{"TorqueLimitDrive": asked}])
        assert int.from_bytes(frame[4:6], "little") & 0xFFF == wanted
