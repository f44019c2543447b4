"""What well-known attributes of a DBC mean: timing, frame format, bus, and this project's end-to-end protection."""

from twinaxle.dbc.send_types import normal_name
from twinaxle.dbc.syntax import Document, Message

CYCLE_TIME = "GenMsgCycleTime"  # ms
SEND_TYPE = "GenMsgSendType"
TIMEOUT = "RxTimeout"  # ms
START_VALUE = "GenSigStartValue"  # a raw value
FRAME_FORMAT = "VFrameFormat"
BIT_RATE = "Baudrate"  # bit/s, of the file
PROFILE, DATA_ID, MAX_DELTA = "E2eProfile", "E2eDataId", "E2eMaxDelta"

# Where E2E profile 1 has its signals: start and length in bits.
PROTECTION: dict[str, tuple[int, int]] = {"Crc": (0, 8), "Counter": (8, 4)}

# What the numbers of VFrameFormat mean, where it is not an ENUM.
FRAME_FORMATS: dict[float, str] = {
    0: "StandardCAN",
    1: "ExtendedCAN",
    3: "J1939PG",
    14: "StandardCAN_FD",
    15: "ExtendedCAN_FD",
}


def cycle_ms(document: Document, message: Message) -> float:
    """The message's cycle time in ms; 0 if it has none."""
    return document.number(message, CYCLE_TIME) or 0


def send_type(document: Document, message: Message) -> str:
    """The message's send type as `send_types` has it; empty if the file does not tell."""
    value = document.attribute(message, SEND_TYPE)
    return normal_name(value) if isinstance(value, str) else ""


def bit_rate(document: Document) -> int | None:
    """The bit rate of the bus in bit/s; None if the file does not tell."""
    number = document.number(document, BIT_RATE)
    return int(number) if number and number > 0 else None


def frame_format(document: Document, message: Message) -> str:
    """The message's VFrameFormat as text; empty if the file does not tell."""
    value = document.attribute(message, FRAME_FORMAT)
    if isinstance(value, str):
        return value
    return "" if value is None else FRAME_FORMATS.get(value, "")


def is_fd(document: Document, message: Message) -> bool:
    """True if the file says that the message is a CAN FD frame."""
    bus = document.attribute(document, "BusType")
    return frame_format(document, message).endswith("_FD") or (isinstance(bus, str) and bus.upper() == "CAN FD")


def is_transport(document: Document, message: Message) -> bool:
    """True if the file says that the message is a J1939 parameter group, which a transport protocol may carry."""
    protocol = document.attribute(document, "ProtocolType")
    return frame_format(document, message) == "J1939PG" or (isinstance(protocol, str) and "J1939" in protocol.upper())


def is_protected(document: Document, message: Message) -> bool:
    """True if the message has E2E profile 1."""
    return document.number(message, PROFILE) == 1


def protection_names(document: Document, message: Message) -> set[str]:
    """The names of the signals that carry the protection; none if the message has none."""
    return set(PROTECTION) if is_protected(document, message) else set()
