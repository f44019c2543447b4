"""Decoded columns against cantools, frame by frame."""

import random
import struct
from pathlib import Path
from typing import Any

import can
import cantools
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinaxle.dbc import Database, load_database
from twinaxle.dbc.database import POWERTRAIN
from twinaxle.decode.columns import decode
from twinaxle.logs.read import table_of

DATA = Path(__file__).parents[1] / "dbc" / "data"


def by_cantools(parsed: Any, data: bytes, scaling: bool) -> dict[str, Any] | None:
    """What cantools decodes; None where the selector has a value that selects nothing, which it refuses."""
    try:
        return dict(parsed.decode(data, decode_choices=False, scaling=scaling, allow_truncated=True))
    except cantools.database.errors.DecodeError:
        return None


def check(database: Database, parsed: Any, payloads: dict[str, list[bytes]]) -> int:
    compared = 0
    for message in database.messages.values():
        reference = next(
            one
            for one in parsed.messages
            if (one.frame_id, one.is_extended_frame) == (message.frame_id, message.is_extended)
        )
        data = [payload for payload in payloads[message.name] if by_cantools(reference, payload, True) is not None]
        decoded = decode(message, table_of([can.Message(data=payload) for payload in data]))
        for scaled in (True, False):
            expected = [by_cantools(reference, payload, scaled) for payload in data]
            for column in decoded.columns:
                name = column.signal.name
                values = (column.physical if scaled else column.raw_numbers).tolist()
                wide = past_64_bits([wanted[name] for wanted in expected if wanted and name in wanted])
                for row, wanted in enumerate(expected):
                    assert wanted is not None
                    there = column.present is None or bool(column.present[row])
                    assert there == (name in wanted)
                    if there:
                        assert same(values[row], wanted[name], wide), (message.name, name)
                        compared += 1
    return compared


def same(value: Any, wanted: Any, past_64_bits: bool) -> bool:
    """The same number of the same kind; in a column with integers past 64 bits the nearest float."""
    if past_64_bits:
        return bool(value == float(wanted))
    return type(value) is type(wanted) and (value == wanted or (value != value and wanted != wanted))


def past_64_bits(numbers: list[Any]) -> bool:
    integers = [number for number in numbers if isinstance(number, int)]
    return bool(integers) and (min(integers) < -(1 << 63) or max(integers) >= 1 << (63 if min(integers) < 0 else 64))


SCALES = ["(1,0)", "(1,0)", "(0.1,0)", "(0.01,-40)", "(-0.5,100)", "(2,1)", "(3,0.5)", "(1e-05,0)", "(1000000,0)"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_made_messages(data: st.DataObject, tmp_path: Path) -> None:
    rng = random.Random(data.draw(st.integers(0, 1 << 32)))
    text = made_dbc(rng)
    path = tmp_path / "made.dbc"
    path.write_text(text)
    database = load_database(path)
    parsed = cantools.database.load_string(text, "dbc")
    payloads = {
        message.name: [b"\xff" * message.length, bytes(message.length)]
        + [rng.randbytes(rng.choice([message.length] * 4 + [rng.randint(0, message.length)])) for _ in range(12)]
        for message in database.messages.values()
    }
    check(database, parsed, payloads)


def made_dbc(rng: random.Random) -> str:
    """A DBC with signals of all kinds that do not overlap, multiplexed or not."""
    lines = []
    floats = []
    for number in range(2):
        extended = rng.random() < 0.5
        identifier = number + 8 * rng.randrange(200) + (1 << 31) * extended
        size = rng.randint(1, 8)
        free = set(range(8 * size))
        lines.append(f"BO_ {identifier} M{number}: {size} A")
        multiplexed = rng.random() < 0.4
        for at in range(rng.randint(1, 9)):
            mux = ("M" if at == 0 else rng.choice(["", "m0", "m1", "m2"])) if multiplexed else ""
            length = rng.choice([1, 2, 7, 8, 12, 16, 31, 32, 53, 54, 64]) if mux != "M" else rng.randint(1, 2)
            big, start = rng.random() < 0.5, rng.randrange(8 * size)
            bits = bits_of(start, length, big)
            if not bits <= free:
                continue
            free -= bits
            is_float = length in (16, 32, 64) and rng.random() < 0.5 and mux != "M"
            sign = "-" if (rng.random() < 0.5 or is_float) and mux != "M" else "+"
            scale = rng.choice(SCALES) if mux != "M" else "(1,0)"
            lines.append(f' SG_ S{at} {mux} : {start}|{length}@{0 if big else 1}{sign} {scale} [0|0] "" B')
            if is_float and length != 16:
                floats.append(f"SIG_VALTYPE_ {identifier} S{at} : {length // 32};")
    return 'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\n' + "\n".join(lines) + "\n\n" + "\n".join(floats) + "\n"


def bits_of(start: int, length: int, big: bool) -> set[int]:
    if not big:
        return set(range(start, start + length))
    bits, bit = set(), start
    for _ in range(length):
        bits.add(bit)
        bit = bit - 1 if bit % 8 else bit + 15
    return bits


@pytest.mark.parametrize("path", [POWERTRAIN, *sorted(DATA.glob("*.dbc"))], ids=lambda path: path.stem)
def test_real_files(path: Path) -> None:
    rng = random.Random(7)
    database = load_database(path)
    parsed = cantools.database.load_file(path, encoding="cp1252")
    payloads = {
        message.name: [rng.randbytes(message.length) for _ in range(200)] for message in database.messages.values()
    }
    assert check(database, parsed, payloads) > 900


def test_a_float_keeps_every_bit_pattern(tmp_path: Path) -> None:
    path = tmp_path / "float.dbc"
    path.write_text(
        'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\nBO_ 1 F: 8 A\n'
        ' SG_ Low : 0|32@1- (1,0) [0|0] "" B\n SG_ High : 39|32@0- (1,0) [0|0] "" B\n\n'
        "SIG_VALTYPE_ 1 Low : 1;\nSIG_VALTYPE_ 1 High : 1;\n"
    )
    message = load_database(path).messages["F"]
    numbers = [1.5, -0.0, float("inf"), 1e-45, 3.4e38]
    table = table_of([can.Message(data=struct.pack("<f", one) + struct.pack(">f", one)) for one in numbers])
    expected = np.array(numbers, dtype=np.float32).astype(np.float64).tolist()
    for column in decode(message, table).columns:
        assert column.physical.tolist() == expected


def test_frames_that_are_too_short_are_counted() -> None:
    message = load_database(POWERTRAIN).messages["EscMotion"]
    decoded = decode(message, table_of([can.Message(data=bytes(size)) for size in (8, 3, 8, 0)]))
    assert decoded.short_frames == 2
    present = {column.signal.name: column.present for column in decoded.columns}
    assert present["AbsActive"] is not None and present["AbsActive"].tolist() == [True, True, True, False]
    assert present["TorqueMax"] is not None and present["TorqueMax"].tolist() == [True, False, True, False]
