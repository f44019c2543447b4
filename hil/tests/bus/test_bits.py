"""Length of frames on the wire against a slow reference that was written on its own, and against published figures."""

import pytest
from crccheck.crc import Crc15Can  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from hil.bus import Frame
from hil.bus.bits import INTERMISSION_BITS, crc15, frame_bits, wire_bits

# Bytes that make long runs come often.
PAYLOADS = st.binary(max_size=8) | st.lists(st.sampled_from(b"\x00\xff\x0f\xf0\x1f\xe0\x07\xf8\xaa"), max_size=8).map(
    bytes
)
IDS = st.integers(0, 0x7FF) | st.sampled_from([0, 0x7FF, 0x080, 0x555, 0x2AA])
STANDARD = st.builds(Frame, IDS, PAYLOADS, st.just(False), st.booleans())
EXTENDED = st.builds(Frame, st.integers(0, 0x1FFFFFFF), PAYLOADS, st.just(True), st.booleans())
FRAMES = STANDARD | EXTENDED


def reference_text(frame: Frame) -> str:
    """SOF to CRC without stuff bits, put together as text, field by field."""
    dlc = f"{len(frame.data):04b}"
    data = "" if frame.is_remote else "".join(f"{byte:08b}" for byte in frame.data)
    rtr = "1" if frame.is_remote else "0"
    if frame.is_extended:
        can_id = f"{frame.can_id:029b}"
        text = "0" + can_id[:11] + "1" + "1" + can_id[11:] + rtr + "00" + dlc + data
    else:
        text = "0" + f"{frame.can_id:011b}" + rtr + "0" + "0" + dlc + data
    remainder = [int(bit) for bit in text + "0" * 15]
    polynomial = [int(bit) for bit in f"{0xC599:016b}"]
    for place in range(len(text)):
        if remainder[place]:
            for offset, bit in enumerate(polynomial):
                remainder[place + offset] ^= bit
    return text + "".join(str(bit) for bit in remainder[-15:])


def reference_stuffed(text: str) -> str:
    out = ""
    for bit in text:
        out += bit
        if len(out) >= 5 and len(set(out[-5:])) == 1:
            out += "1" if bit == "0" else "0"
    return out


@pytest.mark.req("HB-03")
@given(FRAMES)
def test_a_frame_is_exactly_as_long_as_its_bits_written_out(frame: Frame) -> None:
    stuffed = reference_stuffed(reference_text(frame))
    assert frame_bits(frame) == len(stuffed) + 1 + 2 + 7  # CRC delimiter, ACK, EOF


@given(FRAMES)
def test_the_bits_on_the_wire_are_those_of_the_reference(frame: Frame) -> None:
    assert "".join(map(str, wire_bits(frame))) == reference_stuffed(reference_text(frame))


@given(st.binary(min_size=1, max_size=20))
def test_the_crc_is_that_of_the_published_algorithm(data: bytes) -> None:
    assert crc15(0, int.from_bytes(data, "big"), 8 * len(data)) == Crc15Can.calc(data)


def test_the_crc_has_the_catalogued_check_value() -> None:
    # CRC-15/CAN of "123456789" in the catalogue of parametrised CRC algorithms
    assert crc15(0, int.from_bytes(b"123456789", "big"), 72) == 0x059E


@pytest.mark.req("HB-03")
@given(st.builds(Frame, IDS, PAYLOADS, st.just(False), st.just(False)))
def test_a_standard_frame_stays_within_the_published_bounds(frame: Frame) -> None:
    # Davis, Burns, Bril, Lukkien: Controller Area Network schedulability analysis, 2007: 34 + 8 n bits may be stuffed
    n = len(frame.data)
    least, most = 8 * n + 47, 8 * n + 47 + (34 + 8 * n - 1) // 4
    assert least <= frame_bits(frame) + INTERMISSION_BITS <= most


@given(EXTENDED)
def test_an_extended_frame_stays_within_the_published_bounds(frame: Frame) -> None:
    n = 0 if frame.is_remote else len(frame.data)
    least, most = 8 * n + 67, 8 * n + 67 + (54 + 8 * n - 1) // 4
    assert least <= frame_bits(frame) + INTERMISSION_BITS <= most


def test_a_frame_of_8_bytes_takes_111_bits_when_nothing_is_stuffed() -> None:
    frames = (Frame(0x555, bytes([0x55] * 7 + [last])) for last in range(256))
    assert min(frame_bits(frame) for frame in frames) + INTERMISSION_BITS == 111


@pytest.mark.parametrize("data", [bytearray(8), memoryview(bytes(8))])
def test_any_buffer_is_as_good_as_bytes(data: bytes) -> None:
    assert frame_bits(Frame(0x123, data)) == frame_bits(Frame(0x123, bytes(8)))


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (Frame(0x800, b""), "0x800 is outside 0 to 0x7ff"),
        (Frame(-1, b""), "outside"),
        (Frame(1 << 29, b"", is_extended=True), "outside 0 to 0x1fffffff"),
        (Frame(0x100, bytes(9)), "has 9 bytes; classic CAN carries 8"),
        (Frame(0x900, bytes(8)), "outside"),
    ],
)
def test_what_classic_can_does_not_know_is_refused(frame: Frame, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        frame_bits(frame)
