"""Decoded logs as CSV: a table for each message, one wide or one long table, or all signals at equal steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from twinaxle.decode.blocks import VERDICT_NAMES, Block, LogDecoder, Selected
from twinaxle.decode.cells import (
    BLANKS,
    Cells,
    Style,
    channel_cells,
    choice_cells,
    column_cells,
    name_cells,
    quoted,
    rows,
    time_cells,
)
from twinaxle.decode.sampling import Samples

Progress = Callable[[int], None]
"""`progress(count)`: so many more frames (or samples) are written."""

Part = Cells | bytes
Pieces = Iterator[tuple[npt.NDArray[np.int64], bytes]]
"""Lines, and a number for each by which they are to be sorted."""


def write_message(out: IO[bytes], decoder: LogDecoder, selected: Selected, style: Style, progress: Progress) -> None:
    """A table of one message: time_s, channel, its signals by name, e2e if asked for."""
    _write_header(out, "time_s", "channel", *(signal.name for signal in selected.signals), *_verdict_name(decoder))
    for block in decoder.message_blocks(selected):
        cells = [column_cells(column, style) for column in block.decoded.columns]
        out.write(rows([*_head(block), *cells, *_verdict(block), b"\n"], len(block)))
        progress(len(block))


def write_wide(out: IO[bytes], decoder: LogDecoder, style: Style, progress: Progress) -> None:
    """A row for each frame, a column for each signal by `Message.Signal`; empty what the frame does not carry."""
    names = [f"{one.message.name}.{signal.name}" for one in decoder.selection for signal in one.signals]
    _write_header(out, "time_s", "channel", *_verdict_name(decoder), *names)
    places = {name: place for place, name in enumerate(names)}

    def pieces(block: Block) -> Pieces:
        columns = block.decoded.columns
        before = places[f"{block.decoded.message.name}.{columns[0].signal.name}"]
        after = len(names) - before - len(columns)
        cells = [column_cells(column, style) for column in columns]
        # The blanks come last, in one go: there are more of them than of anything else.
        text = rows([*_head(block), *_verdict(block), BLANKS, *cells, b"\n"], len(block))
        yield block.rows, text.replace(BLANKS, b"," * before).replace(b"\n", b"," * after + b"\n")

    _write_merged(out, decoder, pieces, progress)


def write_long(out: IO[bytes], decoder: LogDecoder, style: Style, progress: Progress) -> None:
    """A row for each value: time_s, channel, message, signal, value; name and e2e if asked for."""
    name = ["name"] if style.names else []
    _write_header(out, "time_s", "channel", "message", "signal", "value", *name, *_verdict_name(decoder))
    numbers = Style(raw=style.raw, digits=style.digits)
    most = max((len(selected.signals) for selected in decoder.selection), default=1)

    def pieces(block: Block) -> Pieces:
        head, verdict = _head(block), _verdict(block)
        for place, column in enumerate(block.decoded.columns):
            names = f",{quoted(block.decoded.message.name)},{quoted(column.signal.name)}".encode()
            value = [column_cells(column, numbers)]
            if style.names:
                value.append(name_cells(column))
            there = np.arange(len(block)) if column.present is None else np.flatnonzero(column.present)
            parts = [part if isinstance(part, bytes) else part.take(there) for part in (*head, names, *value, *verdict)]
            yield block.rows[there] * most + place, rows([*parts, b"\n"], len(there))

    _write_merged(out, decoder, pieces, progress)


def write_samples(out: IO[bytes], parts: Iterable[Samples], style: Style, progress: Progress) -> None:
    """A row for each time, a column for each signal by `Message.Signal`."""
    for number, part in enumerate(parts):
        if number == 0:
            _write_header(out, "time_s", *part.columns)
        cells = [column_cells(column, style) for column in part.columns.values()]
        out.write(rows([*time_cells(part.time_ns), *cells, b"\n"], len(part.time_ns)))
        progress(len(part.time_ns))


def _write_merged(out: IO[bytes], decoder: LogDecoder, pieces: Callable[[Block], Pieces], progress: Progress) -> None:
    """The lines of all messages in the order of the log."""
    for blocks in decoder.log_blocks():
        lines: list[bytes] = []
        keys = []
        for block in blocks:
            for order, text in pieces(block):
                lines += text.splitlines(keepends=True)
                keys.append(order)
        sequence = np.argsort(np.concatenate(keys), kind="stable")
        out.write(b"".join(map(lines.__getitem__, sequence.tolist())))
        progress(sum(len(block) for block in blocks))


def _write_header(out: IO[bytes], *names: str) -> None:
    out.write((",".join(map(quoted, names)) + "\n").encode())


def _head(block: Block) -> list[Part]:
    frames = block.decoded.frames
    return [*time_cells(frames.time_ns), channel_cells(frames.channel)]


def _verdict_name(decoder: LogDecoder) -> list[str]:
    return ["e2e"] if decoder.with_verdicts else []


def _verdict(block: Block) -> list[Part]:
    if block.verdicts is None:
        return []
    return [choice_cells([f",{name}" for name in VERDICT_NAMES], block.verdicts)]
