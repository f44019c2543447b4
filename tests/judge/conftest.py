"""A log of the virtual car, and ways to plant defects in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.bench import Bench
from twinaxle.dbc.database import powertrain
from twinaxle.dbc.model import Database
from twinaxle.judge.config import Config, default_file, load_config
from twinaxle.judge.judge import judge
from twinaxle.judge.result import Judgement
from twinaxle.logs import FrameTable, read_log
from twinaxle.logs.frames import Index, concatenate

Judge = Callable[..., Judgement]


@pytest.fixture(scope="session")
def drive_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Power-on, start and six steps of the pedal, as the bench logs them: 3 s."""
    folder = tmp_path_factory.mktemp("drive")
    with Bench(seed=3, name="drive", folder=folder, write_log=False) as bench:
        bench.start_up()
        for step in range(6):
            bench.driver.pedal(36 if step % 2 else 30)
            bench.run(0.27)
        bench.trace.write(folder / "drive.blf")
    return folder / "drive.blf"


@pytest.fixture(scope="session")
def drive(drive_log: Path) -> FrameTable:
    return read_log(drive_log)


@pytest.fixture(scope="session")
def config() -> Config:
    database = powertrain()
    path = default_file(database.path)
    assert path is not None
    return load_config(path, database)


@pytest.fixture
def judged(config: Config) -> Judge:
    """Judges a table by the project's own protocol: `judged(table, name=value of Config...)`."""

    def run(table: FrameTable, database: Database | None = None, **changes: object) -> Judgement:
        return judge(table, database or powertrain(), replace(config, **changes), "drive.blf")  # type: ignore[arg-type]

    return run


class Forge:
    """A copy of a log in which defects are planted."""

    def __init__(self, table: FrameTable) -> None:
        self.table = table.take(np.arange(len(table)))
        self.start_ns = int(table.time_ns[0])

    def rows(self, name: str, start_s: float = 0.0, end_s: float = 1e9) -> Index:
        """The rows of a message in a time of the log."""
        at_s = (self.table.time_ns - self.start_ns) * 1e-9
        return np.flatnonzero(
            (self.table.can_id == powertrain().messages[name].frame_id) & (at_s >= start_s) & (at_s <= end_s)
        )

    def drop(self, rows: Index) -> FrameTable:
        """The log without these rows."""
        return self.table.take(np.setdiff1d(np.arange(len(self.table)), rows))

    def add(self, rows: Index, shift_s: float) -> FrameTable:
        """The log with these rows a second time, so much later."""
        extra = self.table.take(rows)
        extra = replace(extra, time_ns=extra.time_ns + round(shift_s * 1e9))
        return concatenate([self.table, extra])

    def sign(self, rows: Index) -> FrameTable:
        """The log with the CRC of these rows made right again."""
        from twinaxle.e2e import Protector

        by_id = powertrain().by_id
        for row in rows:
            e2e = by_id[int(self.table.can_id[row])].e2e
            assert e2e is not None
            counter = int(self.table.data[row, 1]) & 0x0F
            if counter == 15:  # a Protector never sends it
                from twinaxle.e2e import _crc, crc_seed

                self.table.data[row, 0] = _crc(self.table.data[row].tobytes(), crc_seed(e2e.data_id))
            else:
                frame = Protector(e2e.data_id, counter).protect(self.table.data[row].tobytes())
                self.table.data[row] = np.frombuffer(frame, dtype=np.uint8)
        return self.table


@pytest.fixture
def forge(drive: FrameTable) -> Forge:
    return Forge(drive)
