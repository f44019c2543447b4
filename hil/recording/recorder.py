"""The time series of a run: a flat row of floats each period, and the marks of what happened when.

Recording costs one `array.extend` a period. Series, file and plots are made from it after the run.
"""

from __future__ import annotations

import gzip
import io
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MarkKind = Literal["fault", "cleared", "state", "info"]

_ROWS_A_BLOCK = 4096
_COMPRESSION = 3
"""Of the truth file: a quarter of the time of gzip's default level 9 or less, for 5 to 15 % more bytes."""


@dataclass(frozen=True)
class Channel:
    """One recorded quantity.

    `name` is the identifier with its unit as suffix ("front_torque_nm"), `unit` as shown, `label` for plots.
    A channel with `choices` is a state: its values are integers and `choices` names them.
    """

    name: str
    unit: str
    label: str = ""
    choices: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """Something that happened at `time_ns`: a fault injected or cleared, a change of state, a remark."""

    time_ns: int
    text: str
    kind: MarkKind = "info"


class Recorder:
    """Rows of channel values at a fixed period of virtual time, the first at `start_ns`."""

    def __init__(self, channels: Sequence[Channel], period_ns: int, start_ns: int = 0) -> None:
        names = [channel.name for channel in channels]
        if not names:
            raise ValueError("a recorder needs at least one channel")
        if len(set(names)) != len(names):
            raise ValueError(f"channel named twice: {sorted(name for name in names if names.count(name) > 1)[0]}")
        if period_ns <= 0:
            raise ValueError(f"the period must be positive, not {period_ns} ns")
        self.channels = tuple(channels)
        self.period_ns = period_ns
        self.start_ns = start_ns
        self.marks: list[Mark] = []
        self._column = {name: index for index, name in enumerate(names)}
        self._values = array("d")
        self.append = self._values.extend
        """Add the row of one period: as many floats as there are channels, in their order; NaN is "no value".

        The array's own method for speed (about 1 us for 24 channels): it doesn't count; a row of another length is
        found when the series are read.
        """

    def __len__(self) -> int:
        return len(self._values) // len(self.channels)

    def mark(self, time_ns: int, text: str, kind: MarkKind = "info") -> None:
        """Note an event; order of calls doesn't matter."""
        self.marks.append(Mark(time_ns, text, kind))

    def has(self, name: str) -> bool:
        """Whether a channel of this name is recorded."""
        return name in self._column

    def channel(self, name: str) -> Channel:
        """The channel of this name; KeyError when there is none."""
        return self.channels[self._column[name]]

    def table(self) -> NDArray[np.float64]:
        """All values, one row a period and one column a channel.

        Raises:
            ValueError: a row had another number of values than there are channels.
        """
        width = len(self.channels)
        if len(self._values) % width:
            raise ValueError(f"{len(self._values)} values recorded, which is no multiple of {width} channels")
        return np.array(self._values, dtype=np.float64).reshape(-1, width)

    def series(self, name: str) -> NDArray[np.float64]:
        """The values of one channel; KeyError when there is none of this name."""
        return self.table()[:, self._column[name]]

    def time_s(self) -> NDArray[np.float64]:
        """The times of the rows in seconds."""
        return (self.start_ns + np.arange(len(self), dtype=np.int64) * self.period_ns) / 1e9

    def write_csv(self, path: Path) -> None:
        """Write time and all channels as CSV with a header, packed by gzip when the name ends in .gz.

        Such a file opens in pandas, polars, LibreOffice and Matlab as it is. The same run gives the same bytes: the
        packed file carries neither name nor time. Values have seven significant digits; NaN is an empty field.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".gz":
            with path.open("wb") as file:
                self._write_csv(file)
            return
        with (
            path.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=raw, mtime=0) as packed,
            io.BufferedWriter(packed, 1 << 18) as file,
        ):
            self._write_csv(file)

    def _write_csv(self, file: io.BufferedIOBase) -> None:
        file.write((",".join(["time_s", *(channel.name for channel in self.channels)]) + "\n").encode())
        table = self.table()
        digits = _decimals(self.period_ns)
        line = f"%.{digits}f" + ",%.7g" * len(self.channels) + "\n"
        rows = np.column_stack((self.time_s(), table))
        for first in range(0, len(rows), _ROWS_A_BLOCK):
            block = rows[first : first + _ROWS_A_BLOCK]
            text = (line * len(block)) % tuple(block.ravel().tolist())
            if np.isnan(block).any():
                text = text.replace(",nan", ",")
            file.write(text.encode())


def _decimals(period_ns: int) -> int:
    """Decimals of a second that tell two periods apart: 2 for 10 ms, 9 at most."""
    return next((digits for digits in range(9) if period_ns % 10 ** (9 - digits) == 0), 9)


def elapsed_s(recorder: Recorder) -> float:
    """Time from the first to the last row in seconds; NaN when nothing was recorded."""
    return (len(recorder) - 1) * recorder.period_ns / 1e9 if len(recorder) else math.nan
