"""Plays frames onto a bus, or into a log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from twinaxle.dbc.model import Database
from twinaxle.e2e import Protector
from twinaxle.errors import UserError
from twinaxle.files import replaced
from twinaxle.logs.frames import EXTENDED, REMOTE, FrameTable
from twinaxle.replay.pacer import Pacer, Timing, undisturbed

if TYPE_CHECKING:
    import can

Progress = Callable[[int, int], None]
"""`progress(frames, all)`; `all` is 0 for a replay without end."""

_SEND_TIMEOUT_S = 0.5
_REPORT = 500  # frames between two reports of progress


class Player:
    """A log ready to be played: frames in the order of time, each with its time after the start."""

    def __init__(
        self, frames: FrameTable, database: Database, *, speed: float = 1.0, protect: Collection[int] = ()
    ) -> None:
        """`speed` 2 plays twice as fast. Messages whose keys are in `protect` get fresh counters and CRCs.

        Raises UserError if there is no frame.
        """
        if not len(frames):
            raise UserError("no frame is left to be replayed")
        self._frames = frames.in_time_order()
        self._first_ns = int(self._frames.time_ns[0])
        after_ns = (self._frames.time_ns - self._first_ns) / speed
        self._due_ns = after_ns.round().astype("int64")
        self._protectors = {
            message.key: (message.length, Protector(message.e2e.data_id))
            for message in database.messages.values()
            if message.e2e is not None and message.key in protect
        }
        # A loop begins one mean distance of two frames after the end of the one before.
        last_ns = int(self._due_ns[-1])
        self._period_ns = last_ns + (round(last_ns / (len(self._due_ns) - 1)) if len(self._due_ns) > 1 else 0)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def duration_s(self) -> float:
        """How long one loop takes."""
        return self._period_ns / 1e9

    def messages(self, loops: int = 1) -> Iterator[tuple[int, can.Message]]:
        """Each frame with the time in ns after the start at which it is due; without end for `loops` 0."""
        import can

        columns = (
            self._due_ns, self._frames.can_id, self._frames.flags, self._frames.length, self._frames.keys,
            self._frames.words,
        )  # fmt: skip
        done = 0
        while done < loops or not loops:
            start_ns = done * self._period_ns
            # Lists of blocks: numbers of Python are quicker than those of numpy, but a whole log of them is large.
            for block in range(0, len(self), 10_000):
                lists = [column[block : block + 10_000].tolist() for column in columns]
                for due_ns, can_id, flags, length, key, word in zip(*lists, strict=True):
                    data = word.to_bytes(8, "little")[:length]
                    if (protection := self._protectors.get(key)) is not None:
                        whole, protector = protection
                        if length == whole and not flags & REMOTE:  # a frame of a wrong length stays what it was
                            data = protector.protect(data)
                    yield (
                        start_ns + due_ns,
                        can.Message(
                            timestamp=(self._first_ns + start_ns + due_ns) / 1e9,
                            arbitration_id=can_id,
                            is_extended_id=bool(flags & EXTENDED),
                            is_remote_frame=bool(flags & REMOTE),
                            dlc=length,
                            data=None if flags & REMOTE else data,
                            is_rx=False,
                        ),
                    )
            done += 1

    def play(self, bus: can.BusABC, loops: int = 1, progress: Progress | None = None) -> Timing:
        """Send all frames at their times; `loops` 0 is without end, until KeyboardInterrupt.

        Returns how late frames were handed to the adapter. Raises UserError if the bus refuses a frame.
        """
        import can

        pacer = Pacer()
        sent = 0
        total = loops * len(self)
        with undisturbed():
            pacer.start()
            try:
                for due_ns, message in self.messages(loops):
                    pacer.wait(due_ns)
                    bus.send(message, timeout=_SEND_TIMEOUT_S)
                    sent += 1
                    if progress is not None and sent % _REPORT == 0:
                        progress(sent, total)
            except (can.CanError, OSError) as error:
                raise UserError(
                    f"the bus failed after {sent} frames, at {pacer.elapsed_s:.3f} s: {error or type(error).__name__}"
                ) from error
            except KeyboardInterrupt:
                if loops:
                    raise
        return pacer.timing()

    def write(self, path: Path, loops: int = 1, progress: Progress | None = None) -> int:
        """Write to a log what would be sent, with the times of the log (scaled by the speed). Returns the frames.

        Raises UserError if the log cannot be written or `loops` is 0.
        """
        import can

        if not loops:
            raise UserError(f"{path}: a replay without end fits into no file: say how many loops")
        written = 0
        try:
            with replaced(path) as part, can.Logger(part) as writer:
                for _, message in self.messages(loops):
                    writer(message)
                    written += 1
                    if progress is not None and written % _REPORT == 0:
                        progress(written, loops * len(self))
        except ValueError as error:
            raise UserError(f"{path}: {error}") from None
        return written
