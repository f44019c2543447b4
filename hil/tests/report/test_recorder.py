"""Recording and the truth file."""

import csv
import gzip
import io
import math
from pathlib import Path

import numpy as np
import pytest

from hil.recording.recorder import Channel, Recorder

CHANNELS = (Channel("speed_kmh", "km/h"), Channel("torque_nm", "Nm"))


def small() -> Recorder:
    recorder = Recorder(CHANNELS, 10_000_000, start_ns=1_000_000_000)
    recorder.append((1.5, -330.0))
    recorder.append((2.0, math.nan))
    recorder.append((1 / 3, 123456.75))
    return recorder


def test_series_are_what_was_appended() -> None:
    recorder = small()
    assert len(recorder) == 3
    assert recorder.time_s().tolist() == [1.0, 1.01, 1.02]
    assert recorder.series("speed_kmh").tolist() == [1.5, 2.0, 1 / 3]
    assert np.isnan(recorder.series("torque_nm")[1])
    assert recorder.has("speed_kmh")
    assert not recorder.has("speed")
    assert recorder.channel("torque_nm").unit == "Nm"
    with pytest.raises(KeyError):
        recorder.series("speed")


def test_recording_goes_on_after_reading() -> None:
    recorder = small()
    table = recorder.table()
    recorder.append((4.0, 5.0))
    assert len(recorder) == 4
    assert len(table) == 3


def test_a_row_of_another_length_is_found() -> None:
    recorder = small()
    recorder.append((1.0,))
    with pytest.raises(ValueError, match="7 values recorded, which is no multiple of 2"):
        recorder.table()


def test_wrong_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one channel"):
        Recorder([], 1)
    with pytest.raises(ValueError, match="channel named twice: speed_kmh"):
        Recorder([CHANNELS[0], CHANNELS[0]], 1)
    with pytest.raises(ValueError, match="period must be positive"):
        Recorder(CHANNELS, 0)


def test_the_truth_file_reads_back(tmp_path: Path) -> None:
    small().write_csv(tmp_path / "a" / "truth.csv.gz")
    with gzip.open(tmp_path / "a" / "truth.csv.gz", "rt", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["time_s", "speed_kmh", "torque_nm"],
        ["1.00", "1.5", "-330"],
        ["1.01", "2", ""],
        ["1.02", "0.3333333", "123456.8"],
    ]


def test_plain_and_packed_hold_the_same(tmp_path: Path, run: Recorder) -> None:
    run.write_csv(tmp_path / "truth.csv")
    run.write_csv(tmp_path / "truth.csv.gz")
    assert gzip.decompress((tmp_path / "truth.csv.gz").read_bytes()) == (tmp_path / "truth.csv").read_bytes()
    loaded = np.genfromtxt(io.BytesIO((tmp_path / "truth.csv").read_bytes()), delimiter=",", skip_header=1)
    assert loaded.shape == (len(run), len(run.channels) + 1)
    np.testing.assert_allclose(loaded[:, 1:], run.table(), rtol=1e-6, atol=1e-12)


def test_same_run_same_bytes(tmp_path: Path, run: Recorder) -> None:
    run.write_csv(tmp_path / "one.csv.gz")
    run.write_csv(tmp_path / "another_name.csv.gz")
    first = (tmp_path / "one.csv.gz").read_bytes()
    assert first == (tmp_path / "another_name.csv.gz").read_bytes()
    assert first[4:8] == b"\0\0\0\0"  # the header's time stamp


def test_time_has_the_decimals_of_the_period(tmp_path: Path) -> None:
    recorder = Recorder(CHANNELS[:1], 2_500_000)
    for _ in range(2):
        recorder.append((0.0,))
    recorder.write_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "time_s,speed_kmh\n0.0000,0\n0.0025,0\n"
