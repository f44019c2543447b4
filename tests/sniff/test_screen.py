"""The whole command in a terminal: a real process, keys, resizing, ends of all kinds."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals", allow_module_level=True)

from twinaxle.dbc.database import POWERTRAIN
from twinaxle.errors import UserError
from twinaxle.sniff.screen import load_curses
from twinaxle.sniff.trial.terminal import Terminal

MESSAGE_ROW = re.compile(r"^..[0-9A-F]{3} [A-Z]\w+", re.MULTILINE)
SNIFF = (sys.executable, "-m", "twinaxle", "sniff")


class Feed:
    """A source in another process: `rate_hz`, then silence."""

    def __init__(self, rate_hz: float, frames: int) -> None:
        command = [sys.executable, "-m", "twinaxle.sniff.trial.frames", str(rate_hz), str(frames)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = self.process.stdout.readline().strip()

    def told(self) -> dict[str, float]:
        """What was sent and what was lost, when all is sent."""
        assert self.process.stdout
        return dict(json.loads(self.process.stdout.readline()))

    def arguments(self, interface: str = "twinaxle") -> tuple[str, ...]:
        """How to join."""
        if interface == "twinaxle":
            return "-i", "twinaxle", "-c", f"127.0.0.1:{self.port}"
        return "-i", interface, "-c", "vcan0", "--bus-kwargs", "host=127.0.0.1", f"port={self.port}"

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def feed() -> Iterator[Feed]:
    """Two hundred frames a second for longer than any test."""
    one = Feed(200, 20_000)
    yield one
    one.close()


def wait_for_rows(terminal: Terminal) -> None:
    terminal.wait_for(lambda text: len(MESSAGE_ROW.findall(text)) >= 10 and "Torq" in text)


def assert_restored(terminal: Terminal) -> None:
    """The terminal is as it was: its modes, the screen from before, the cursor."""
    assert terminal.current_modes() == terminal.modes
    output = bytes(terminal.output)
    assert output.rindex(b"\x1b[?1049l") > output.rindex(b"\x1b[?1049h")
    assert output.rindex(b"\x1b[?25h") > output.rindex(b"\x1b[?25l")


def test_a_session(feed: Feed) -> None:
    with Terminal((*SNIFF, *feed.arguments()), 160, 40) as terminal:
        wait_for_rows(terminal)
        assert "twinaxle bench at 127.0.0.1" in terminal.text
        terminal.press("\x1bOB\r")
        terminal.wait_for(lambda text: "VCU to INV_R, TESTER  every 10 ms" in text)
        terminal.press("fPedals\r")
        terminal.wait_for(lambda text: "filter Pedals" in text and "VcuInvRearCommand" not in text)
        terminal.press("h")
        terminal.wait_for(lambda text: "Look around" in text)
        terminal.press("hF")
        wait_for_rows(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
        assert_restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_like_q(feed: Feed, number: signal.Signals) -> None:
    with Terminal((*SNIFF, *feed.arguments())) as terminal:
        wait_for_rows(terminal)
        terminal.process.send_signal(number)
        assert terminal.wait() == 0
        assert_restored(terminal)


def test_ctrl_c_ends_it(feed: Feed) -> None:
    with Terminal((*SNIFF, *feed.arguments())) as terminal:
        wait_for_rows(terminal)
        terminal.press("\x03")
        assert terminal.wait() == 0
        assert_restored(terminal)


def test_no_frame_is_lost() -> None:
    feed = Feed(2000, 6000)
    try:
        with Terminal((*SNIFF, *feed.arguments("socketcand")), 160, 40) as terminal:
            terminal.wait_for(lambda text: "19 ids  6000 frames" in text)
            assert feed.told()["lost"] == 0
            assert " bad" not in terminal.text.splitlines()[3]
            terminal.wait_for(lambda text: "silent for" in text and "19 ids" in text)
            terminal.press("q")
            assert terminal.wait() == 0
    finally:
        feed.close()


def test_the_end_of_the_bus_is_said_and_the_screen_stays(feed: Feed) -> None:
    with Terminal((*SNIFF, *feed.arguments())) as terminal:
        wait_for_rows(terminal)
        feed.close()
        terminal.wait_for(lambda text: "no bus" in text and "o connects again" in text)
        assert "TorqueRequest" in terminal.text
        terminal.press("o")
        terminal.wait_for(lambda text: "no bench answers" in text)
        terminal.press("q")
        assert terminal.wait() == 2
        assert_restored(terminal)
        assert b"no bench answers" in terminal.output.rpartition(b"\x1b[?1049l")[2]


def test_sizes(feed: Feed) -> None:
    with Terminal((*SNIFF, *feed.arguments()), 120, 30) as terminal:
        wait_for_rows(terminal)
        for columns, rows in ((40, 10), (10, 3), (1, 1), (200, 60), (60, 8)):
            terminal.resize(columns, rows)
            terminal.listen(0.3)
        terminal.wait_for(lambda text: "080 VcuInvFrontCommand" in text)
        terminal.resize(130, 40)
        wait_for_rows(terminal)
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize(
    "environment",
    [{"TERM": "vt100"}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_terminals_without_colour_or_utf_8(feed: Feed, environment: dict[str, str]) -> None:
    with Terminal((*SNIFF, *feed.arguments()), 120, 30, environment) as terminal:
        wait_for_rows(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.current_modes() == terminal.modes
        if "LC_ALL" in environment:
            assert terminal.output.isascii()
        else:
            assert not any(f"\x1b[3{color}m".encode() in terminal.output for color in range(1, 8))


def test_a_terminal_that_is_none_is_told(feed: Feed) -> None:
    with Terminal((*SNIFF, *feed.arguments()), environment={"TERM": "no-such-terminal"}) as terminal:
        assert terminal.wait() == 2
        assert "TERM=no-such-terminal" in terminal.text and "Traceback" not in terminal.text


def test_recording_by_key(feed: Feed, tmp_path: Path) -> None:
    path = tmp_path / "made.blf"
    with Terminal((*SNIFF, *feed.arguments()), 200, 40) as terminal:
        wait_for_rows(terminal)
        terminal.press(f"w\x15{path}\r")
        terminal.wait_for(lambda text: re.search(rf"{re.escape(str(path))} (\d{{3,}}|[3-9]\d)", text))
        terminal.press("w")
        terminal.wait_for(lambda text: f"{path}: " in text)
        told = int(terminal.lines[-1].split(f"{path}: ")[1].split()[0])
        terminal.press("q")
        assert terminal.wait() == 0
    with can.LogReader(path) as reader:
        assert len(list(reader)) == told > 20


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 40 s of frames that are known and unknown."""
    path = tmp_path / "made.log"
    with can.Logger(path) as logger:
        for n in range(4000):
            can_id = 0x123 if n % 10 else 0x132
            logger.on_message_received(
                can.Message(timestamp=100 + n / 100, arbitration_id=can_id, is_extended_id=False, data=bytes(8))
            )
    return path


def test_a_log_is_played(log: Path) -> None:
    with Terminal((*SNIFF, str(log), "--dbc", str(POWERTRAIN)), 140, 20) as terminal:
        terminal.wait_for(lambda text: "VcuIdentity" in text)
        terminal.press(".")
        terminal.wait_for(lambda text: "made.log  1" in text)
        terminal.press(" ")
        terminal.wait_for(lambda text: "HELD" in text)
        terminal.press(" ....]")
        terminal.wait_for(lambda text: "x2" in text and "end" in text and "4000 frames" in text)
        terminal.press("0")
        terminal.wait_for(lambda text: "made.log  0" in text)
        terminal.press("q")
        assert terminal.wait() == 0


def test_lines_when_the_output_is_no_terminal(feed: Feed) -> None:
    result = subprocess.run(
        [*SNIFF, *feed.arguments(), "--count", "50", "--show", "from:VCU"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 50
    assert all("  Vcu" in one for one in result.stdout.splitlines())


def test_lines_are_not_mixed_with_warnings_of_python_can(feed: Feed) -> None:
    result = subprocess.run(
        [*SNIFF, *feed.arguments("socketcand"), "--count", "400"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")


def test_lines_end_with_the_bus(feed: Feed) -> None:
    with subprocess.Popen(
        [*SNIFF, *feed.arguments(), "--text"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline()
        feed.close()
        _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert told.startswith("twinaxle sniff: ") and "the bench has ended" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_lines_end_with_a_signal_and_the_recording_is_whole(feed: Feed, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "made.asc"
    with subprocess.Popen(
        [*SNIFF, *feed.arguments(), "--text", "--record", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stderr
        printed = [process.stdout.readline() for _ in range(30)]
        process.send_signal(number)
        printed += process.stdout.readlines()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, "")
    assert path.read_text().endswith("End TriggerBlock\n")
    with can.LogReader(path) as reader:
        recorded = [f"{message.arbitration_id:03X}" for message in reader]
    assert [one.split()[2] for one in printed] == recorded[: len(printed)]


def test_the_bus_of_a_configuration_file(feed: Feed, tmp_path: Path) -> None:
    (tmp_path / ".can").write_text(
        "[default]\ninterface = virtual\nchannel = nobody\n\n"
        f"[car]\ninterface = twinaxle\nchannel = 127.0.0.1:{feed.port}\nbitrate = 250000\n"
    )
    environment = {"HOME": str(tmp_path)}
    with Terminal((*SNIFF, "--context", "car"), environment=environment) as terminal:
        wait_for_rows(terminal)
        assert f"127.0.0.1:{feed.port}" in terminal.text and "250 kbit/s" in terminal.text
        terminal.press("q")
        assert terminal.wait() == 0
    with Terminal(SNIFF, environment=environment) as terminal:
        terminal.wait_for(lambda text: "nothing heard yet" in text and "virtual" in text.lower())
        terminal.press("q")
        assert terminal.wait() == 0


def test_a_python_without_curses_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "curses", None)
    with pytest.raises(UserError, match=r"windows-curses.*--text"):
        load_curses()
