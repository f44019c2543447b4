"""The tables of a message's signals and of their named values."""

from twinaxle.dbc.conventions import START_VALUE
from twinaxle.dbc.doc.bits import ranges_text
from twinaxle.dbc.doc.page import Cell, Table
from twinaxle.dbc.syntax import Document, Message, Signal
from twinaxle.dbc.syntax.tree import plain

HEADER: tuple[str, ...] = (
    "Signal", "Start", "Bits", "Type", "Scale", "Unit", "Range", "Start value", "Receivers", "What",
)  # fmt: skip


def signal_table(document: Document, message: Message) -> Table:
    """One row for each signal, in the order of the file."""
    has_mux = any(signal.mux_values for signal in message.signals)
    header: tuple[str, ...] = (
        "Signal",
        "Start",
        "Bits",
        "Type",
        "Scale",
        "Unit",
        "Range",
        "Start value",
        "Receivers",
        "What",
    )
    rows = [_row(document, signal) for signal in message.signals]
    if has_mux:
        header = (HEADER[0], "When", *HEADER[1:])
        for row, signal in zip(rows, message.signals, strict=True):
            row.insert(1, f"{signal.selector} = {ranges_text(signal.mux_values)}" if signal.mux_values else "always")
    return Table(header, rows, frozenset({1 + has_mux, 2 + has_mux}))


def _row(document: Document, signal: Signal) -> list[Cell]:
    line = signal.line
    limits = f"{plain(line.minimum)} to {plain(line.maximum)}" if line.minimum or line.maximum else "-"
    return [
        signal.name,
        str(line.start),
        str(line.length),
        _kind(signal),
        _scale(signal),
        line.unit or "-",
        limits,
        _start(document, signal),
        ", ".join(signal.receivers) or "-",
        signal.comment or "-",
    ]


def _kind(signal: Signal) -> str:
    kind = "float" if signal.is_float else "signed" if signal.is_signed else "unsigned"
    return f"{kind}, Motorola" if signal.is_big_endian else kind


def _scale(signal: Signal) -> str:
    """How a physical value comes from the raw one; empty if it is the same."""
    factor, offset = signal.line.factor, signal.line.offset
    if (factor, offset) == (1, 0):
        return "-"
    if offset == 0:
        return f"x {plain(factor)}"
    return f"x {plain(factor)} {'-' if offset < 0 else '+'} {plain(abs(offset))}"


def _start(document: Document, signal: Signal) -> str:
    raw = document.number(signal, START_VALUE)
    if raw is None:
        return "-"
    if raw in signal.choices:
        return f"{signal.choices[raw]} ({plain(raw)})"
    value = raw * signal.line.factor + signal.line.offset
    return plain(float(f"{value:.10g}"))


def has_values(signal: Signal) -> bool:
    """True if values of the signal have names."""
    return bool(signal.choices)


def value_table(message: Message) -> Table:
    """The named values of all signals of a message."""
    rows: list[list[Cell]] = []
    for signal in filter(has_values, message.signals):
        for at, (value, name) in enumerate(sorted(signal.choices.items())):
            rows.append([signal.name if at == 0 else "", plain(value), name])
    return Table(("Signal", "Value", "Means"), rows, frozenset({1}))
