"""Frames as plain lines for pipes: what `candump` prints, with the decoded signals and the judge's word behind it."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from twinaxle.dbc.model import EXTENDED
from twinaxle.e2e import Verdict
from twinaxle.sniff.content import text_of
from twinaxle.sniff.filters import Test
from twinaxle.sniff.spans import plain
from twinaxle.sniff.store import REMOTE, Row, Store
from twinaxle.sniff.table import identifier

if TYPE_CHECKING:
    import can


def lines(frames: "Iterable[can.Message]", store: Store, passes: Test) -> Iterator[str]:
    """One line for each frame that passes.

    `(time) channel ID [length] data  Name  Signal value unit ...`, with a word in `!` where the frame is not good. The
    time is that of the frame in seconds.
    """
    for frame in frames:
        store.feed((frame,))
        if frame.is_error_frame:
            yield f"{_head(frame)}  ERROR FRAME  {store.faults.last}".rstrip()
            continue
        key = frame.arbitration_id | EXTENDED * frame.is_extended_id | REMOTE * frame.is_remote_frame
        row = store.rows[frame.channel, key]
        if passes(row):
            yield _line(frame, row)


def _head(frame: "can.Message") -> str:
    channel = "-" if frame.channel is None else plain(str(frame.channel))
    return f"({frame.timestamp:.6f})  {channel}"


def _line(frame: "can.Message", row: Row) -> str:
    data = "remote request" if row.is_remote else frame.data.hex(" ").upper()
    line = f"{_head(frame)}  {identifier(row):>3}  [{frame.dlc}]  {data:23}  {row.name or '?'}"
    if words := problem(row):
        line += f"  !{words}!"
    if signals := text_of(row):
        line += f"  {signals}"
    return line.rstrip()


def problem(row: Row) -> str:
    """What is wrong with the last frame; empty if nothing is."""
    verdict = row.watch.verdict
    if verdict is not None and not verdict.good and verdict != Verdict.INITIAL:
        return verdict.name.lower().replace("_", " ")
    if verdict is Verdict.OK_SOME_LOST:
        return "frames lost before"
    if row.message and not row.is_remote and len(row.data) != row.message.length:
        return f"{len(row.data)} bytes, not {row.message.length}"
    return ""
