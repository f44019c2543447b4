"""Frames as lines: the format, what is not good, and the command in a pipe."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import can
import pytest

from tests.sniff.conftest import DBC, ENGINE, EXTENDED, Frames, Session, Source, frame
from twinaxle.errors import UserError
from twinaxle.sniff import picture, text
from twinaxle.sniff.session import print_lines
from twinaxle.sniff.spans import Span, Style, line


def lines(session: Session, *frames: can.Message) -> list[str]:
    return list(text.lines(frames, session.store, lambda row: True))


def test_a_line_is_that_of_candump_with_the_signals(session: Session, engine: Frames) -> None:
    first, second, third = lines(session, *engine([12.5]), frame(12.6, EXTENDED, "0300 0700"), frame(12.7, 0x123, ""))
    data = engine([0.0])[0].data
    assert first.startswith("(12.500000)  can0  100  [8]  ")
    assert first.endswith("00 3C 00 00 00  Engine  Mode On  Speed 100.0 rpm  Oil 20 degC") and data[2:3] == b"\xc8"
    assert second == "(12.600000)  can0  0CF004FE  [4]  03 00 07 00              Extended  Level 0.75 %  Ratio 7"
    assert third.split() == ["(12.700000)", "can0", "123", "[0]", "?"]


def test_what_is_not_good_is_said(session: Session, engine: Frames) -> None:
    good = engine([0.0, 0.01, 0.02, 0.03])
    spoilt = frame(0.02, ENGINE, "FF" * 8)
    short = frame(0.05, EXTENDED, "00")
    told = lines(session, good[0], good[0], spoilt, good[2], short)
    marks = [one.split("!")[1] if "!" in one else "" for one in told]
    assert marks == ["", "repeated", "wrong crc", "frames lost before", "1 bytes, not 4"]


def test_remote_and_error_frames(session: Session) -> None:
    remote = can.Message(timestamp=1, arbitration_id=0x123, is_extended_id=False, is_remote_frame=True, dlc=4)
    error = frame(1.0, 0x40, "0000000000000000", is_error_frame=True)
    first, second = lines(session, remote, error)
    assert first.split() == ["(1.000000)", "-", "123", "[4]", "remote", "request", "?"]
    assert second == "(1.000000)  can0  ERROR FRAME  bus-off"


def test_frames_that_came_just_before_the_end_of_the_bus_are_written(session: Session) -> None:
    class Ending(Source):
        """Its thread takes a last frame, and hears of the end, while the first one is being written."""

        def take(self) -> Sequence[can.Message]:
            taken = super().take()
            if not self.problem:
                self.waiting, self.problem = [frame(2.0, 0x222, "")], "the bench has ended"
            return list(taken)

    session.viewer.source = source = Ending()
    source.waiting = [frame(1.0, 0x111, "")]
    written: list[str] = []
    with pytest.raises(UserError, match="the bench has ended"):
        print_lines(session.viewer, written.append)
    assert [one.split()[2] for one in "".join(written).splitlines()] == ["111", "222"]


@pytest.fixture
def files(tmp_path: Path, engine: Frames) -> tuple[Path, Path]:
    """The small DBC and a log of it."""
    dbc, log = tmp_path / "small.dbc", tmp_path / "made.asc"
    dbc.write_text(DBC)
    with can.Logger(log) as logger:
        for one in [*engine(n / 10 for n in range(20)), frame(2.0, 0x222, "01")]:
            one.channel = 0
            logger.on_message_received(one)
    return dbc, log


def sniff(*arguments: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "twinaxle", "sniff", *map(str, arguments)],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60, **kwargs,
    )  # fmt: skip


def test_a_log_in_a_pipe(files: tuple[Path, Path], tmp_path: Path) -> None:
    dbc, log = files
    copy = tmp_path / "copy.csv"
    result = sniff(log, "--dbc", dbc, "--record", copy)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 21
    assert "Speed 100.0 rpm" in result.stdout
    assert len(copy.read_text().splitlines()) == 22
    chosen = sniff(log, "--dbc", dbc, "--show", "is:unknown")
    assert [one.split()[2] for one in chosen.stdout.splitlines()] == ["222"]
    counted = sniff(log, "--dbc", "none", "--count", 3)
    assert len(counted.stdout.splitlines()) == 3 and "rpm" not in counted.stdout
    timed = sniff(log, "--dbc", dbc, "--duration", 0.55)
    assert len(timed.stdout.splitlines()) == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["LOG", "--show", "is:green"], ["filter", "is:green"]),
        (["LOG", "--open", "Motor"], ["Motor"]),
        (["LOG", "--dbc", "nowhere.dbc"], ["nowhere.dbc"]),
        (["LOG", "--dbc", "DBC", "--dbc", "OTHER"], ["0x100", "Engine"]),
        (["LOG", "--speed", "0"], ["--speed"]),
        (["LOG", "-b", "0"], ["bit rate 0"]),
        (["nowhere.blf"], ["nowhere.blf"]),
        (["-i", "virtual", "-c", "quiet", "--duration", "0.1"], ["no frame came from", "quiet"]),
        (["-i", "twinaxle", "-c", "127.0.0.1:1"], ["127.0.0.1:1"]),
    ],
)
def test_what_the_user_can_mend_is_told(
    files: tuple[Path, Path], tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    other = tmp_path / "other.dbc"
    other.write_text(DBC.replace("0.5,0", "0.25,0"))
    names = {"LOG": str(files[1]), "DBC": str(files[0]), "OTHER": str(other)}
    result = sniff(*[names.get(argument, argument) for argument in arguments], cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("twinaxle sniff: ") and "Traceback" not in result.stderr
    assert all(word in result.stderr for word in words)


def test_two_dbcs_are_used_together(files: tuple[Path, Path], tmp_path: Path) -> None:
    more = tmp_path / "more.dbc"
    more.write_text(DBC.split("BO_ 256")[0] + 'BO_ 546 Extra: 1 ECU\n SG_ Lamp : 0|1@1+ (1,0) [0|1] "" PANEL\n')
    result = sniff(files[1], "--dbc", files[0], "--dbc", more)
    assert "Engine  Mode On" in result.stdout and "Extra  Lamp 1" in result.stdout


def test_a_picture_of_the_screen(files: tuple[Path, Path], tmp_path: Path) -> None:
    dbc, log = files
    made = tmp_path / "made.svg"
    result = sniff(log, "--dbc", dbc, "--picture", made, "--after", 2, "--open", "Engine", "--size", "100x20")
    assert (result.returncode, result.stderr) == (0, "")
    svg = made.read_text(encoding="utf-8")
    assert svg.startswith("<svg") and "Speed of the engine." in svg and "made.asc" in svg
    again = tmp_path / "again.svg"
    sniff(log, "--dbc", dbc, "--picture", again, "--after", 2, "--open", "Engine", "--size", "100x20")
    assert again.read_text(encoding="utf-8") == svg


def test_pictures_are_well_formed() -> None:
    from xml.etree import ElementTree

    lines = [line(Span("a<b & 'c'", Style.BAD), " ", Span("title", Style.TITLE), selected=True), line()]
    root = ElementTree.fromstring(picture.svg(lines, 20))
    assert [one.text for one in root.iter() if one.tag.endswith("text")] == ["a<b & 'c'", "title"]
