"""The files of a recording: one after another by size and time, or one for each fault with what went before it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError
from twinaxle.recording.formats import LogFile, open_log
from twinaxle.recording.trigger import Trigger

if TYPE_CHECKING:
    import can

Tell = Callable[[str], None]


@dataclass(frozen=True)
class FileSettings:
    """How files are made.

    `max_bytes`, `max_s`: a file is ended, and the next begun, at the first frame past either; 0 is no limit. `keep`: so
    many of the files of this recording are kept, the oldest is deleted; 0 keeps all. `flush_s`: how often frames are
    handed to the operating system. `overwrite`: replace a file that exists.
    """

    path: Path
    comment: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    max_bytes: int = 0
    max_s: float = 0.0
    keep: int = 0
    flush_s: float = 1.0
    overwrite: bool = False


class Sink(ABC):
    """Where the frames of a recording go. Called by one thread."""

    def __init__(self, settings: FileSettings, tell: Tell) -> None:
        """`tell` is given a line for the user when a file is complete or a fault is seen."""
        self.settings = settings
        self.paths: list[Path] = []
        self.written = 0
        self.left_out: Counter[str] = Counter()
        """What the format of the files closed so far does not hold, in words -> number of frames concerned."""
        self.current: LogFile | None = None
        self.faults: int | None = None
        """Faults seen; None where none are looked for."""
        self.ring_was_full = False
        """True if the memory could not hold all frames before a fault."""
        self._tell = tell
        self._begun_s = 0.0

    @abstractmethod
    def write(self, message: can.Message) -> None:
        """Take a frame."""

    @abstractmethod
    def idle(self, now_s: float) -> None:
        """No frame came; `now_s` is the time of the bus by the wall clock."""

    def flush(self) -> None:
        """Hand all that is written to the operating system."""
        if self.current is not None:
            self.current.flush()

    def close(self) -> None:
        """End the file."""
        current, self.current = self.current, None
        if current is not None:
            current.close()
            self.left_out += current.left_out
            self._tell(f"{current.path}: {current.frames} frames, {size_text(current.path.stat().st_size)}")

    @property
    def bytes(self) -> int:
        """Size of the file under writing."""
        return self.current.size if self.current is not None else 0

    def _open(self, path: Path, comment: str, at_s: float) -> LogFile:
        self.current = open_log(path, comment, self.settings.options)
        self.paths.append(path)
        self._begun_s = at_s
        if self.settings.keep and len(self.paths) > self.settings.keep:
            oldest = self.paths.pop(0)
            oldest.unlink(missing_ok=True)
            self._tell(f"{oldest}: deleted, the newest {self.settings.keep} files are kept")
        return self.current

    def _is_full(self, at_s: float) -> bool:
        settings = self.settings
        if self.current is None or not self.current.frames:
            return False
        return bool(
            (settings.max_bytes and self.current.size >= settings.max_bytes)
            or (settings.max_s and at_s - self._begun_s >= settings.max_s)
        )


class RotatingFiles(Sink):
    """All frames, in one file or in numbered ones."""

    def __init__(self, settings: FileSettings, tell: Tell) -> None:
        """Makes the first file, so that a path which cannot be written is known before the bus is opened.

        Raises UserError for that, and for a file that exists.
        """
        super().__init__(settings, tell)
        self._numbers = Numbered(settings.path) if settings.max_bytes or settings.max_s else None
        path = settings.path if self._numbers is None else self._numbers.next()
        if path.exists() and not settings.overwrite:
            raise UserError(f"{path}: exists; name another file or say --overwrite")
        self._open(path, settings.comment, 0.0)

    def write(self, message: can.Message) -> None:
        if self.current is not None and not self.current.frames:
            self._begun_s = message.timestamp
        if self._is_full(message.timestamp) and self._numbers is not None:
            self.close()
            self._open(self._numbers.next(), self.settings.comment, message.timestamp)
        assert self.current is not None
        self.written += self.current.write(message)

    def idle(self, now_s: float) -> None:
        """Nothing to do: a file that is too old ends with the first frame past its time."""


class FaultFiles(Sink):
    """One numbered file for each fault: `before_s` seconds before it, `after_s` after it.

    A fault while a file is open is noted in it and prolongs it. The seconds before are kept in memory, at most `ring`
    frames.
    """

    def __init__(
        self, settings: FileSettings, tell: Tell, trigger: Trigger, before_s: float, after_s: float, ring: int
    ) -> None:
        super().__init__(settings, tell)
        self.faults = 0
        self._trigger = trigger
        self._before_s = before_s
        self._after_s = after_s
        self._ring: deque[can.Message] = deque(maxlen=ring)
        self._end_s = 0.0
        self._numbers = Numbered(settings.path)

    def write(self, message: can.Message) -> None:
        now_s = message.timestamp
        fault = self._trigger.feed(message)
        self._remember(message)
        if self.current is None:
            if fault is not None:
                self._begin(fault, now_s)
            return
        if fault is not None:
            self._prolong(fault, now_s)
        elif now_s > self._end_s:
            self.close()
            return
        if self._is_full(now_s):
            self.close()
            self._open(self._numbers.next(), f"{self.settings.comment}; continued", now_s)
        self.written += self.current.write(message)

    def idle(self, now_s: float) -> None:
        fault = self._trigger.look(now_s)
        if fault is None:
            if self.current is not None and now_s > self._end_s:
                self.close()
        elif self.current is None:
            self._begin(fault, now_s)
        else:
            self._prolong(fault, now_s)

    def _remember(self, message: can.Message) -> None:
        ring, oldest_s = self._ring, message.timestamp - self._before_s
        while ring and ring[0].timestamp < oldest_s:
            ring.popleft()
        self.ring_was_full |= len(ring) == ring.maxlen
        ring.append(message)

    def _begin(self, fault: str, at_s: float) -> None:
        """Open a file, and write to it what is remembered: the frame that showed the fault is the last of it."""
        self._seen(fault, at_s)
        file = self._open(self._numbers.next(), f"{self.settings.comment}; fault at {at_s:.6f} s: {fault}", at_s)
        self.written += sum(file.write(message) for message in self._ring)

    def _prolong(self, fault: str, at_s: float) -> None:
        self._seen(fault, at_s)
        if self.current is not None:
            self.current.note(f"fault: {fault}", at_s)

    def _seen(self, fault: str, at_s: float) -> None:
        self.faults = (self.faults or 0) + 1
        self._end_s = at_s + self._after_s
        self._tell(f"fault at {at_s:.3f} s: {fault}")


class Numbered:
    """Names NAME_0001.blf, NAME_0002.blf and so on, after the highest one that is there."""

    def __init__(self, path: Path) -> None:
        self._suffixes = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
        self._stem = path.name.removesuffix(self._suffixes)
        self._folder = path.parent
        pattern = re.compile(re.escape(self._stem) + r"_(\d+)" + re.escape(self._suffixes))
        found = [pattern.fullmatch(entry.name) for entry in self._folder.glob("*")] if self._folder.is_dir() else []
        self._number = max((int(match[1]) for match in found if match), default=0)

    def next(self) -> Path:
        """The next name."""
        self._number += 1
        return self._folder / f"{self._stem}_{self._number:04d}{self._suffixes}"


def size_text(size: float) -> str:
    """A size in bytes for people: "12.3 MB"."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.1f} {unit}" if unit != "B" else f"{size:.0f} B"
        size /= 1000
    return f"{size:.1f} GB"
