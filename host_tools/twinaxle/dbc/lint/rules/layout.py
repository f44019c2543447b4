"""Where signals lie in their messages."""

from collections.abc import Iterator

from twinaxle.dbc.conventions import protection_names
from twinaxle.dbc.lint.rule import Hit, Severity, rule
from twinaxle.dbc.lint.rules.scaling import LONGEST_SIGNAL
from twinaxle.dbc.syntax import Document, Message, Signal
from twinaxle.dbc.syntax.document import MOST_BYTES

MOST_BITS = 8 * MOST_BYTES
FLOAT_BITS = {1: (32, "float of 32 bits"), 2: (64, "float of 64 bits")}


@rule("signal-length", Severity.ERROR, "a signal of no bits or more than 64")
def signal_length(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        # Longer ones carry text or raw bytes in CAN FD and J1939.
        longest = LONGEST_SIGNAL if signal.message.line.length <= 8 else 8 * signal.message.line.length
        if not 1 <= signal.line.length <= longest:
            text = f"signal {signal.title} has {signal.line.length} bits: it can have 1 to {longest}"
            yield Hit(signal.line.layout_at, text)


@rule("signal-beyond-message", Severity.ERROR, "a signal that reaches past the end of its message")
def signal_beyond_message(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        bits = signal.bits
        size = 8 * signal.message.line.length
        if bits and not (min(bits) >= 0 and max(bits) < size) and not signal.message.is_independent:
            text = f"signal {signal.title} reaches to bit {max(bits)}, but the message ends with bit {size - 1}"
            yield Hit(signal.line.layout_at, f"{text}: correct start, length or the message's bytes")


@rule("overlapping-signals", Severity.ERROR, "two signals of one frame share bits")
def overlapping_signals(document: Document) -> Iterator[Hit]:
    for message in document.messages:
        if message.is_independent:
            continue
        protection = protection_names(document, message)
        for one, other in overlaps(message):
            # Signals over CRC and counter are the concern of e2e-overlap.
            if not {one.name, other.name} & protection:
                text = f"signals {one.name} and {other.name} of {message.name} overlap: move one"
                yield Hit(other.line.layout_at, text)


def overlaps(message: Message) -> Iterator[tuple[Signal, Signal]]:
    """Pairs of signals that share bits in some frame; the one that stands later in the file comes second."""
    masks = [_mask(signal) for signal in message.signals]
    taken = 0
    for at, signal in enumerate(message.signals):
        if taken & masks[at]:
            for before in range(at):
                if masks[before] & masks[at] and may_meet(message, message.signals[before], signal):
                    yield message.signals[before], signal
        taken |= masks[at]


def _mask(signal: Signal) -> int:
    if not signal.is_big_endian and 0 <= signal.line.start < MOST_BITS:
        return (1 << min(max(signal.line.length, 0), MOST_BITS)) - 1 << signal.line.start
    return sum(1 << bit for bit in signal.bits if 0 <= bit < MOST_BITS)


def may_meet(message: Message, one: Signal, other: Signal) -> bool:
    """False if a selector's value that both depend on keeps them from being in one frame."""
    needs, others = _needs(message, one), _needs(message, other)
    return all(
        any(low <= high_ and low_ <= high for low, high in needs[selector] for low_, high_ in others[selector])
        for selector in needs.keys() & others.keys()
    )


def _needs(message: Message, signal: Signal) -> dict[str, tuple[tuple[int, int], ...]]:
    """The values that selectors must have for the signal to be there, also through nested selectors."""
    needs: dict[str, tuple[tuple[int, int], ...]] = {}
    # `m3` without any selector counts as having one, so that pages do not overlap each other.
    while signal.mux_values and signal.selector not in needs:
        needs[signal.selector] = signal.mux_values
        parent = message.signal_by_name.get(signal.selector)
        if parent is None:
            break
        signal = parent
    return needs


@rule("float-length", Severity.ERROR, "SIG_VALTYPE_ does not fit the signal's length")
def float_length(document: Document) -> Iterator[Hit]:
    for statement in document.tree.value_types:
        signal = document.find(statement.target)
        if statement.type not in (0, 1, 2, 3):
            yield Hit(statement.at, f"SIG_VALTYPE_ {statement.type} is not known: 0 integer, 1 float, 2 double, 3 none")
        elif isinstance(signal, Signal) and statement.type in FLOAT_BITS:
            bits, name = FLOAT_BITS[statement.type]
            if signal.line.length != bits:
                text = f"signal {signal.title} has {signal.line.length} bits, but is a {name}: correct one"
                yield Hit(statement.at, text)


@rule("float-sign", Severity.WARNING, "a float that is declared as unsigned")
def float_sign(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if signal.is_float and not signal.is_signed:
            yield Hit(signal.line.layout_at, f"signal {signal.title} is a float, which has a sign: write - for +")


@rule("signed-bit", Severity.WARNING, "one bit with a sign")
def signed_bit(document: Document) -> Iterator[Hit]:
    for signal in document.signals():
        if signal.is_signed and signal.line.length == 1:
            yield Hit(signal.line.layout_at, f"signal {signal.title} is one bit with a sign (0 and -1): write + for -")
