"""Identifiers of messages, and the frame format that the attribute VFrameFormat gives them."""

from collections.abc import Iterator

from twinaxle.dbc.conventions import FRAME_FORMAT, frame_format, is_fd, is_transport
from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.model import EXTENDED
from twinaxle.dbc.syntax import Document

HIGHEST_STANDARD = 0x7FF
HIGHEST_EXTENDED = 0x1FFF_FFFF
CLASSIC_BYTES = 8
FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)


@rule("identifier-range", Severity.ERROR, "an identifier of more than 11 or 29 bits")
def identifier_range(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        if message.is_independent:
            continue
        identifier = message.line.identifier
        if identifier < 0 or identifier >= 2 * EXTENDED:
            yield Hit(message.line.at, f"message {message.name}: {identifier} is no 32-bit number")
        elif message.is_extended and message.frame_id > HIGHEST_EXTENDED:
            yield Hit(message.line.at, f"message {message.name}: {message.frame_id:#x} is more than 29 bits")
        elif not message.is_extended and message.frame_id > HIGHEST_STANDARD:
            text = f"message {message.name}: {message.frame_id:#x} is more than 11 bits: for an extended one write "
            yield Hit(message.line.at, f"{text}{message.frame_id | EXTENDED}, which has bit 31 set")


@rule("frame-format", Severity.ERROR, "VFrameFormat contradicts the identifier")
def frame_format_fits(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        named = frame_format(document, message)
        assignment = message.attributes.get(FRAME_FORMAT)
        at = assignment.at if assignment else message.line.at
        if named.startswith("StandardCAN") and message.is_extended and not message.is_independent:
            text = f"message {message.name}: VFrameFormat is {named}, but the identifier is extended"
            yield Hit(at, f"{text} (bit 31 is set): set ExtendedCAN" if not assignment else f"{text}: correct one")
        elif named.startswith("ExtendedCAN") and not message.is_extended:
            text = f"message {message.name}: VFrameFormat is {named}, but the identifier is standard"
            yield Hit(at, f"{text}: for an extended one add 2147483648 to it")


@rule("message-length", Severity.ERROR, "more bytes than a frame can have")
def message_length(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        length, at = message.line.length, message.line.length_at
        if is_transport(document, message) or message.is_independent or 0 <= length <= CLASSIC_BYTES:
            continue
        if length < 0:
            yield Hit(at, f"message {message.name}: {length} bytes are less than none")
        elif not is_fd(document, message):
            text = f"message {message.name} has {length} bytes: a classic frame has 8 at most"
            yield Hit(at, f"{text}; for CAN FD set VFrameFormat to StandardCAN_FD or ExtendedCAN_FD")
        elif length not in FD_LENGTHS:
            fitting = next((one for one in FD_LENGTHS if one > length), FD_LENGTHS[-1])
            yield Hit(at, f"message {message.name}: no CAN FD frame has {length} bytes: take {fitting}")
