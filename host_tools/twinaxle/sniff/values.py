"""The signals of a frame as text: value names, decimals that follow from the factor, units."""

from decimal import Decimal
from typing import NamedTuple

from twinaxle.dbc.codec import MessageCodec
from twinaxle.dbc.model import Message, Signal
from twinaxle.errors import UserError
from twinaxle.sniff.spans import plain


class Reading(NamedTuple):
    """One signal as it stands in a frame."""

    signal: Signal
    raw: int
    value: float
    """Physical, in `signal.unit`."""
    text: str
    """The value's name where it has one, else the number with the decimals that the factor gives."""
    unit: str
    """Unit of the number; empty where the text is a name."""
    mask: int
    """Its bits in the frame read as one little-endian number."""

    @property
    def out_of_range(self) -> bool:
        """True when the value is outside the minimum and maximum of the DBC, and is no named value."""
        signal = self.signal
        slack = abs(signal.factor) * 1e-6
        if self.raw in signal.choices or signal.minimum == signal.maximum:
            return False
        too_low = signal.minimum is not None and self.value < signal.minimum - slack
        return too_low or (signal.maximum is not None and self.value > signal.maximum + slack)

    @property
    def shown(self) -> str:
        """The value's name, or the number with its unit."""
        return f"{self.text} {self.unit}" if self.unit else self.text


class Decoder:
    """Decodes one message of the DBC for the eye. `problem` says why it cannot, else it is empty."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.problem = ""
        self._fields: list[tuple[Signal, str, int]] = []
        try:
            self._codec = MessageCodec(message)
        except UserError as error:
            self.problem = str(error)
            return
        for signal in message.application_signals:
            self._fields.append((signal, number_format(signal), signal_mask(signal, message.length)))

    def read(self, data: bytes) -> tuple[Reading, ...]:
        """The signals of a frame in the order of the file, without CRC, counter and what is multiplexed out.

        Empty for a frame shorter than the message, which has no meaning.
        """
        if self.problem or len(data) < self.message.length:
            return ()
        raws, values = self._codec.unpack_raw(data), self._codec.unpack(data)
        readings = []
        for (signal, form, mask), raw, value in zip(self._fields, raws, values, strict=True):
            if raw is None:
                continue
            name = signal.choices.get(raw)
            if name is None:
                readings.append(Reading(signal, raw, value, format(value, form), signal.unit, mask))
            else:
                readings.append(Reading(signal, raw, value, plain(name), "", mask))
        return tuple(readings)


def number_format(signal: Signal) -> str:
    """The format of physical values: as many decimals as factor and offset have; six digits for floats."""
    if signal.is_float:
        return ".6g"
    decimals = max(_decimals(signal.factor), _decimals(signal.offset))
    return f".{min(decimals, 9)}f" if decimals else "d"


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def signal_mask(signal: Signal, length: int) -> int:
    """The bits of a signal in a frame of `length` bytes that is read as one little-endian number."""
    ones = (1 << signal.length) - 1
    if not signal.is_big_endian:
        return ones << signal.start
    size = max(length, 8)
    place = ones << signal.shift + 8 * (size - 8)
    return int.from_bytes(place.to_bytes(size, "big"), "little")
