"""The socketcand wire: formats against python-can's own client, parsing of everything that clients send."""

import can
import pytest
from can.interfaces.socketcand.socketcand import (
    convert_ascii_message_to_can_message,
    convert_can_message_to_ascii_message,
)
from hypothesis import given
from hypothesis import strategies as st

from twinaxle import socketcand
from twinaxle.socketcand import (
    Accepted,
    Echo,
    ErrorMessage,
    Greeting,
    Open,
    ProtocolError,
    RawMode,
    Received,
    WireFrame,
)

frames = st.one_of(
    st.builds(WireFrame, st.integers(0, 0x7FF), st.binary(max_size=8)),
    st.builds(WireFrame, st.integers(0, 0x1FFF_FFFF), st.binary(max_size=8), st.just(True)),
)
times_ns = st.integers(0, 10**15)


def inside(text: bytes) -> bytes:
    (body,) = socketcand.Splitter().feed(text)
    return body


@given(frames, times_ns)
def test_python_can_reads_the_frames(frame: WireFrame, time_ns: int) -> None:
    text = socketcand.format_frame(time_ns, *frame)
    message = convert_ascii_message_to_can_message(text.decode())
    assert (message.arbitration_id, bytes(message.data), message.is_extended_id) == tuple(frame)
    assert message.timestamp == pytest.approx(time_ns // 1000 / 1e6, abs=1e-9)
    assert not message.is_error_frame


@given(frames)
def test_what_python_can_sends_is_read(frame: WireFrame) -> None:
    message = can.Message(arbitration_id=frame.can_id, data=frame.data, is_extended_id=frame.is_extended)
    assert socketcand.parse_request(inside(convert_can_message_to_ascii_message(message).encode())) == frame


@given(frames, times_ns)
def test_own_round_trips(frame: WireFrame, time_ns: int) -> None:
    assert socketcand.parse_request(inside(socketcand.format_send(frame))) == frame
    reply = socketcand.parse_reply(inside(socketcand.format_frame(time_ns, *frame)))
    assert isinstance(reply, Received)
    assert reply.frame == frame
    assert reply.time_s == pytest.approx(time_ns // 1000 / 1e6, abs=1e-9)


@given(st.lists(frames, max_size=20), st.data())
def test_messages_are_found_in_any_pieces(several: list[WireFrame], data: st.DataObject) -> None:
    stream = b"".join(socketcand.format_send(frame) for frame in several)
    splitter = socketcand.Splitter()
    found = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert [socketcand.parse_request(body) for body in found] == several
    assert splitter.skipped == 0


@given(st.binary(max_size=300), frames)
def test_garbage_costs_nothing_but_itself(garbage: bytes, frame: WireFrame) -> None:
    splitter = socketcand.Splitter()
    splitter.feed(garbage)
    found = splitter.feed(b"<" + socketcand.format_send(frame))  # the first "<" ends what the garbage began
    assert socketcand.parse_request(found[-1]) == frame


@given(st.binary(max_size=60))
def test_every_message_is_understood_or_refused(body: bytes) -> None:
    for parse in (socketcand.parse_request, socketcand.parse_reply):
        try:
            parse(body)
        except ProtocolError as error:
            assert str(error)


def test_an_endless_message_is_not_kept() -> None:
    splitter = socketcand.Splitter()
    for _ in range(100):
        assert splitter.feed(b"< send " + b"1" * 1000) == []
    assert splitter.skipped > 90_000
    assert splitter.feed(b" >< echo >") == [b"echo"]


@pytest.mark.parametrize(
    ("body", "request_"),
    [
        (b"open vcan0", Open("vcan0")),
        (b"rawmode", RawMode()),
        (b"echo", Echo()),
        (b"send 123 0", WireFrame(0x123, b"")),
        (b"send 123 3 0 1 ff", WireFrame(0x123, b"\x00\x01\xff")),
        (b"send 00000123 0", WireFrame(0x123, b"", True)),
        (b"send 1 1 ffffff80", WireFrame(1, b"\x80")),  # SavvyCAN: a signed char of -128
        (b"send 1 1 ffffffffffffff80", WireFrame(1, b"\x80")),  # the same with 64 bits
        (b"send ffffffff98ff1234 1 1", WireFrame(0x18FF1234, b"\x01", True)),  # SavvyCAN: bit 31 of an int
        (b"send 80000123 1 1", WireFrame(0x123, b"\x01", True)),
        (b"send 800 1 1", WireFrame(0x800, b"\x01", True)),
    ],
)
def test_requests(body: bytes, request_: object) -> None:
    assert socketcand.parse_request(body) == request_


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"bcmmode", "unknown command 'bcmmode'"),
        (b"send 123", "needs an id and a length"),
        (b"send xyz 0", "id 'xyz' is no hexadecimal number"),
        (b"send -5 0", "is negative"),
        (b"send 123 C 0 1 2 3 4 5 6 7 8 9 a b", "CAN FD is not carried"),
        (b"send 123 2", "remote frames are not carried"),
        (b"send 40000123 0", "remote frames are not carried"),
        (b"send 20000004 0", "error frames cannot be sent"),
        (b"send 123 2 1", "2 bytes announced and 1 given"),
        (b"send 123 1 zz", "data byte 'zz' is no hexadecimal number"),
        (b"send \xff 0", "no ASCII"),
    ],
)
def test_refusals_say_why(body: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        socketcand.parse_request(body)


def test_answers() -> None:
    assert socketcand.format_frame(1_500_000_000, 0x123, b"") == b"< frame 123 1.500000  >"  # two spaces
    assert socketcand.format_frame(999, 0x1, b"\x0a") == b"< frame 001 0.000000 0A >"
    error = socketcand.format_error(socketcand.ERROR_CONTROLLER, 2_000_000_000, "no <CAN> FD \n")
    assert error == b"< error 004 2.000000 no ?CAN? FD ? >"
    assert convert_ascii_message_to_can_message(error.decode()).is_error_frame
    assert socketcand.parse_reply(inside(error)) == ErrorMessage(4, 2.0, "no ?CAN? FD ?")
    assert socketcand.parse_reply(b"error could not open bus") == ErrorMessage(4, 0.0, "could not open bus")
    assert [socketcand.parse_reply(body) for body in (b"hi", b"ok", b"echo")] == [Greeting(), Accepted(), Echo()]
