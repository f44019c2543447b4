"""Sessions without a screen: lines of text, and a picture of what a screen would show."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.errors import UserError
from twinaxle.sniff import picture, text
from twinaxle.sniff.content import text_of
from twinaxle.sniff.filters import parse_filter
from twinaxle.sniff.screen import REDRAW_S
from twinaxle.sniff.source import LogSource, Source, named
from twinaxle.sniff.view import layout
from twinaxle.sniff.viewer import Viewer

if TYPE_CHECKING:
    import can

_POLL_S = 0.05


def print_lines(
    viewer: Viewer, write: Callable[[str], object], *, duration_s: float | None = None, count: int | None = None
) -> None:
    """Write a line for each frame that passes the filter; a log as fast as it can be read.

    Ends with the log, or when `duration_s` of the bus's time or `count` lines are over. Raises UserError when the bus
    goes or is silent for `duration_s`, or the log is damaged.
    """
    passes = parse_filter(viewer.filter, text_of)
    source = viewer.source
    log: LogSource | None = source if isinstance(source, LogSource) else None
    end_s: float | None = None
    begun_s = time.monotonic()
    written = 0
    while True:
        gone = source.problem  # asked before, so that the frames that came before the end are written
        frames = _next_frames(source)
        if duration_s is not None and end_s is None and frames:
            end_s = frames[0].timestamp + duration_s
        if end_s is not None:
            frames = [frame for frame in frames if frame.timestamp <= end_s]
        viewer.recorder.feed(frames)
        lines = list(text.lines(frames, viewer.store, passes))
        if count is not None:
            lines = lines[: count - written]
        written += len(lines)
        if lines:
            write("\n".join(lines) + "\n")
        if problem := gone or (log and log.problem):
            raise UserError(named(source.title, problem))
        if written == count or (end_s is not None and source.now_s() > end_s):
            return
        if duration_s is not None and end_s is None and time.monotonic() - begun_s > duration_s:
            raise UserError(f"no frame came from {source.title}: is the other side running, is the bit rate right?")
        if log is None:
            time.sleep(_POLL_S)
        elif log.ended:
            return


def _next_frames(source: Source) -> "list[can.Message]":
    if isinstance(source, LogSource):
        return source.frames_until(float("inf"), LogSource.MOST_FRAMES)
    return list(source.take())


def draw(viewer: Viewer, path: Path, *, seconds: float, width: int, height: int) -> None:
    """Listen for so long, as a screen would, and write the picture of it. Raises UserError if that cannot be done."""
    steps = max(round(seconds / REDRAW_S), 1)
    for step in range(1, steps + 1):
        source = viewer.source
        if isinstance(source, LogSource):
            now_s = source.begin_s + step * REDRAW_S
            frames = source.frames_until(now_s, most=1_000_000)
        else:
            time.sleep(REDRAW_S)
            frames, now_s = list(source.take()), source.now_s()
        viewer.recorder.feed(frames)
        viewer.store.feed(frames)
        viewer.store.tick(now_s)
    picture.write(path, layout(viewer, width, height), width)
