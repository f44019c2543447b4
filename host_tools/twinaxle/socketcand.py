"""The socketcand wire in raw mode: text to messages and back, nothing else.

Messages are ASCII between `<` and `>`, one after the other without line ends. Client: `< open vcan0 >`, `< rawmode >`,
`< send 123 3 0 1 ff >`. Server: `< hi >`, `< ok >`, `< frame 123 23.424242 0001FF >`, `< error 004 23.424242 >`. Both:
`< echo >`. Source: https://github.com/linux-can/socketcand/blob/master/doc/protocol.md, and what python-can 4.6 and
SavvyCAN send in fact.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

DEFAULT_PORT = 29536
"""The port that socketcand listens on."""

HI = b"< hi >"
OK = b"< ok >"
ECHO = b"< echo >"

ERROR_CONTROLLER = 0x004
ERROR_PROTOCOL = 0x008
ERROR_BUS_OFF = 0x040
"""Classes of an error message, as in the id of a SocketCAN error frame (linux/can/error.h)."""

MESSAGE_MAX = 512
"""Bytes between `<` and `>`; the longest sensible message has about 60."""

_EXTENDED_FLAG = 1 << 31
_REMOTE_FLAG = 1 << 30
_ERROR_FLAG = 1 << 29
_STANDARD_MAX = 0x7FF
_EXTENDED_MAX = 0x1FFF_FFFF
_DATA_MAX = 8
_EXTENDED_DIGITS = 8
_MESSAGE = re.compile(rb"<([^<>]*)>")
_FRAME = re.compile(rb"frame ([0-7][0-9A-F]{2}|[01][0-9A-F]{7}) (\d+\.\d+) ?((?:[0-9A-F]{2}){0,8})")
"""A frame as `format_frame` writes it. Others write it in other ways, which take longer to read."""


class ProtocolError(ValueError):
    """A message that makes no sense or that classic CAN cannot carry; the text says why."""


class Open(NamedTuple):
    """A client wants the bus of this name."""

    bus: str


class RawMode(NamedTuple):
    """A client wants all frames from now on."""


class Echo(NamedTuple):
    """Are you there?"""


class WireFrame(NamedTuple):
    """A classic data frame; `can_id` has 11 bits, or 29 with `is_extended`, `data` 0 to 8 bytes."""

    can_id: int
    data: bytes
    is_extended: bool = False


class Received(NamedTuple):
    """A frame that the server passed on, with its time in seconds."""

    time_s: float
    frame: WireFrame


class ErrorMessage(NamedTuple):
    """An error that the server told of: its class, its time in seconds, and more words if there are any."""

    error_class: int
    time_s: float
    text: str = ""


class Greeting(NamedTuple):
    """`< hi >`."""


class Accepted(NamedTuple):
    """`< ok >`."""


Request: TypeAlias = Open | RawMode | Echo | WireFrame
Reply: TypeAlias = Greeting | Accepted | Echo | Received | ErrorMessage


class Splitter:
    """Finds the messages in a stream of bytes that come in any pieces. What lies between messages is skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self.skipped = 0
        """Bytes that belonged to no message."""

    def feed(self, data: bytes) -> list[bytes]:
        """The insides of all messages that are complete with these bytes, without surrounding spaces."""
        buffer = self._rest + data
        bodies = []
        end = 0
        for match in _MESSAGE.finditer(buffer):
            self.skipped += match.start() - end
            end = match.end()
            if len(match[1]) <= MESSAGE_MAX:
                bodies.append(match[1].strip())
            else:
                self.skipped += end - match.start()
        begin = buffer.rfind(b"<", end)
        if begin < 0 or len(buffer) - begin > MESSAGE_MAX:
            begin = len(buffer)
        self.skipped += begin - end
        self._rest = buffer[begin:]
        return bodies


# --- client to server ---


def parse_request(body: bytes) -> Request:
    """What a client says. Raises ProtocolError."""
    words = _words(body)
    match words:
        case ["open", bus]:
            return Open(bus)
        case ["rawmode"]:
            return RawMode()
        case ["echo"]:
            return Echo()
        case ["send", can_id, length, *data]:
            return _frame(can_id, length, data)
        case ["send", *_]:
            raise ProtocolError("send needs an id and a length: < send 123 2 0 ff >")
        case []:
            raise ProtocolError("an empty message")
    raise ProtocolError(f"unknown command {words[0][:20]!r}; there are open, rawmode, send and echo")


def _words(body: bytes) -> list[str]:
    try:
        return body.decode("ascii").split()
    except UnicodeDecodeError:
        raise ProtocolError("a message that is no ASCII") from None


def _number(word: str, what: str) -> int:
    try:
        value = int(word, 16)
    except ValueError:
        raise ProtocolError(f"{what} {word[:20]!r} is no hexadecimal number") from None
    if value < 0:
        raise ProtocolError(f"{what} {word[:20]!r} is negative")
    return value


def _frame(id_word: str, length_word: str, data_words: list[str]) -> WireFrame:
    # SavvyCAN marks extended ids by bit 31 and extends the sign of ids and data: only the low bits count.
    number = _number(id_word, "id") & 0xFFFF_FFFF
    if number & _REMOTE_FLAG:
        raise ProtocolError("remote frames are not carried")
    if number & _ERROR_FLAG:
        raise ProtocolError("error frames cannot be sent")
    can_id = number & _EXTENDED_MAX
    is_extended = bool(number & _EXTENDED_FLAG) or len(id_word) >= _EXTENDED_DIGITS or can_id > _STANDARD_MAX
    length = _number(length_word, "length")
    if length > _DATA_MAX:
        raise ProtocolError(f"{length} bytes: CAN FD is not carried, classic CAN has {_DATA_MAX} at most")
    if not data_words and length:
        raise ProtocolError(f"{length} bytes announced and none given: remote frames are not carried")
    if len(data_words) != length:
        raise ProtocolError(f"{length} bytes announced and {len(data_words)} given")
    return WireFrame(can_id, bytes(_number(word, "data byte") & 0xFF for word in data_words), is_extended)


def format_open(bus: str) -> bytes:
    """The request for a bus."""
    return f"< open {bus} >".encode("ascii")


RAWMODE = b"< rawmode >"


def format_send(frame: WireFrame) -> bytes:
    """The request to send a frame."""
    can_id = f"{frame.can_id:08X}" if frame.is_extended else f"{frame.can_id:03X}"
    return f"< send {can_id} {len(frame.data):X} {frame.data.hex(' ')} >".encode("ascii")


# --- server to client ---


def format_frame(time_ns: int, can_id: int, data: bytes, is_extended: bool = False) -> bytes:
    """A frame for the clients. Three digits of id mean standard, eight extended; no data leaves two spaces."""
    seconds, microseconds = divmod(time_ns // 1000, 1_000_000)
    digits = 8 if is_extended else 3
    return b"< frame %0*X %d.%06d %b >" % (digits, can_id, seconds, microseconds, data.hex().upper().encode())


def format_error(error_class: int, time_ns: int, text: str = "") -> bytes:
    """An error for the clients. The words come last, where clients that know only class and time ignore them."""
    seconds, microseconds = divmod(time_ns // 1000, 1_000_000)
    words = re.sub(r"[^ -;=?-~]", "?", text)
    return b"< error %03X %d.%06d%b >" % (error_class, seconds, microseconds, b" " + words.encode() if words else b"")


def parse_reply(body: bytes) -> Reply:
    """What a server says. Raises ProtocolError."""
    if found := _FRAME.fullmatch(body):  # nearly all that comes
        can_id, time_s, data = found.groups()
        return Received(float(time_s), WireFrame(int(can_id, 16), bytes.fromhex(data.decode()), len(can_id) != 3))
    match _words(body):
        case ["hi"]:
            return Greeting()
        case ["ok"]:
            return Accepted()
        case ["echo"]:
            return Echo()
        case ["frame", can_id, time_s, *data] if len(data) <= 1:
            return Received(_seconds(time_s), _received(can_id, data[0] if data else ""))
        case ["error", error_class, time_s, *words] if re.fullmatch("[0-9A-Fa-f]{1,8}", error_class):
            return ErrorMessage(int(error_class, 16), _seconds(time_s), " ".join(words))
        case ["error", *words]:  # socketcand's own words before raw mode
            return ErrorMessage(ERROR_CONTROLLER, 0.0, " ".join(words))
    raise ProtocolError(f"the server said {body[:40]!r}")


def _seconds(word: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", word):
        raise ProtocolError(f"time {word[:20]!r} is no number of seconds")
    return float(word)


def _received(id_word: str, data_word: str) -> WireFrame:
    try:
        data = bytes.fromhex(data_word)
    except ValueError:
        raise ProtocolError(f"data {data_word[:20]!r} is not hexadecimal") from None
    can_id = _number(id_word, "id")
    if can_id > _EXTENDED_MAX or len(data) > _DATA_MAX:
        raise ProtocolError(f"frame {id_word[:20]} with {len(data)} bytes is none of classic CAN")
    return WireFrame(can_id, data, len(id_word) != 3)  # as socketcand and its clients tell them apart
