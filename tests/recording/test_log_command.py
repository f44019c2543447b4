"""`twinaxle log` as a child process: clean ends, a kill, formats, rotation, faults, a bus that goes away."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import can
import pytest

from tests.recording.conftest import TIMEOUT_S, Source, Start, frames, numbers, until
from twinaxle.cli import main
from twinaxle.e2e import Protector

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


def recorded(path: Path, count: int) -> bool:
    """Whether a file under writing shows so many frames already; its end may be missing."""
    found = 0
    with contextlib.suppress(Exception):  # whatever a reader says of half a file
        for _ in can.LogReader(path):
            found += 1
    return found >= count


@pytest.mark.parametrize(
    ("suffix", "number"),
    [
        (".blf", signal.SIGINT),
        (".blf", signal.SIGTERM),
        (".blf", getattr(signal, "SIGHUP", None)),
        (".mf4", signal.SIGTERM),
        *((suffix, signal.SIGINT) for suffix in (".asc", ".log", ".csv", ".asc.gz")),
    ],
)
def test_a_clean_end(source: Source, start: Start, tmp_path: Path, suffix: str, number: signal.Signals) -> None:
    if suffix == ".mf4":
        pytest.importorskip("asammdf")
    path = tmp_path / f"log{suffix}"
    child = start(path, "--flush", "0.05")
    source.send(frames(500))
    spool = tmp_path / "log.part.blf" if suffix == ".mf4" else path
    until(lambda: recorded(spool, 500), "the flush")
    child.send_signal(number)
    out, err = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, err
    assert numbers(path) == list(range(500))
    assert "500 frames received, 500 written, 0 lost" in err
    assert f"{path}: 500 frames" in err
    assert out == ""
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".blf", ".log", ".mf4"])
def test_after_a_kill_the_flushed_frames_can_be_read(source: Source, start: Start, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    readable = tmp_path / "log.part.blf" if suffix == ".mf4" else path
    if suffix == ".mf4":
        pytest.importorskip("asammdf")
    child = start(path, "--flush", "0.05")
    source.send(frames(300))
    until(lambda: recorded(readable, 300), "the flush")
    child.kill()
    child.communicate(timeout=TIMEOUT_S)
    assert numbers(readable) == list(range(300))


def test_duration_and_the_file_of_the_day(source: Source, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "log.blf"
    source.send(frames(10))  # before, so that it has them from the first moment on
    child = start(path, "--duration", "1")
    _, err = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, err
    assert numbers(path) == list(range(10))


def test_rotation_by_time_keeps_every_frame(source: Source, start: Start, tmp_path: Path) -> None:
    child = start(tmp_path / "drive.log", "--max-time", "0.0995", "--flush", "0.05")
    source.send(frames(1000))
    last = tmp_path / "drive_0010.log"
    until(lambda: last.exists() and last.stat().st_size > 0, "the last file")
    until(lambda: len(last.read_text().splitlines()) == 100, "the last frame")
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, err
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [f"drive_{number:04d}.log" for number in range(1, 11)]
    assert [number for path in files for number in numbers(path)] == list(range(1000))


def test_a_fault_with_what_went_before_it(source: Source, start: Start, tmp_path: Path) -> None:
    protector = Protector(0xA0)
    messages = []
    for index in range(1000):
        data = bytearray(protector.protect(bytes(8)))
        if 500 <= index < 503 or index == 995:  # the second one shows when all frames have been taken
            data[0] ^= 1
        messages.append(
            can.Message(timestamp=1000 + index * 0.01, arbitration_id=0xA0, is_extended_id=False, data=data)
        )
    child = start(tmp_path / "fault.blf", "--on-fault", "--trigger", "e2e", "--before", "0.5", "--after", "0.2")
    source.send(messages)
    path, last = tmp_path / "fault_0001.blf", tmp_path / "fault_0002.blf"
    until(lambda: recorded(last, 55), "the end of the last file")
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 0, err
    assert "fault at 1005.000 s: PedalsDriver: E2E WRONG_CRC" in err
    assert "1000 frames received, 126 written, faults: 2, 0 lost" in err
    times_s = [message.timestamp for message in can.LogReader(path)]
    # The fault at 1005.000 s; 50 frames before it, 20 after it.
    assert times_s == pytest.approx([1004.5 + index * 0.01 for index in range(71)], abs=1e-5)
    assert len(list(can.LogReader(last))) == 55
    assert sorted(tmp_path.iterdir()) == [path, last]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["log.xyz"], "the end of the name tells the format"),
        (["log.blf.gz"], ".blf cannot be packed with gzip"),
        (["log.blf", "--trigger", "e2e"], "--trigger needs --on-fault"),
        (
            ["log.blf", "--on-fault", "--trigger", "VcuStatus.State == Falt"],
            "no value of VcuStatus.State; did you mean Fault",
        ),
        (["log.blf", "--on-fault", "--trigger", "e2"], "e2, which is neither Message.Signal"),
        (["log.blf", "--queue", "0"], "--queue must be 1 or more"),
        (["log.blf", "--file-kwargs", "level"], "write NAME=VALUE"),
        (["log.blf", "--dbc", "none.dbc"], "cannot read the DBC"),
        (["/proc/none/log.blf"], "cannot be written"),
    ],
)
def test_mistakes(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["log", *arguments, "-i", "virtual", "-c", "mistakes"]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.blf"
    path.write_text("mine")
    arguments = ["log", str(path), "-i", "virtual", "-c", "replace", "--duration", "0.1"]
    assert main(arguments) == 2
    assert "exists; name another file or say --overwrite" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert main([*arguments, "--overwrite"]) == 0
    assert path.read_bytes()[:4] == b"LOGG"


def test_a_context_of_python_cans_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "can.conf").write_text("[car]\ninterface = virtual\nchannel = context\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["log", str(tmp_path / "log.blf"), "--bus-kwargs", "config_context=car", "--duration", "0.1"]) == 0
    assert "0 frames received" in capsys.readouterr().err


def test_a_bus_that_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.blf"
    assert main(["log", str(path), "-i", "slcan", "-c", str(tmp_path / "no-such-port")]) == 2
    assert "the bus cannot be opened" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(source: Source, start: Start, tmp_path: Path) -> None:
    (tmp_path / "full.asc").symlink_to("/dev/full")
    child = start(tmp_path / "full.asc", "--overwrite", "--flush", "0.05")
    source.send(frames(100))
    _, err = child.communicate(timeout=TIMEOUT_S)
    assert child.returncode == 2
    assert "the file cannot be written any more: No space left on device" in err


@pytest.mark.parametrize("text", ["0", "-1s", "soon", "5d", ""])
def test_times_and_sizes_that_are_none(text: str) -> None:
    import argparse

    from twinaxle.commands.log import _bytes, _seconds

    for parse in (_seconds, _bytes):
        with pytest.raises(argparse.ArgumentTypeError):
            parse(text)


def test_times_and_sizes() -> None:
    from twinaxle.commands.log import _bytes, _seconds

    assert [_seconds(text) for text in ("90", "1.5s", "10m", "2min", "1h")] == [90, 1.5, 600, 120, 3600]
    assert [_bytes(text) for text in ("500", "1.5k", "100M", "2GB", "7kB")] == [500, 1500, 10**8, 2 * 10**9, 7000]
