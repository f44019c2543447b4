"""Sniff beside `cantools monitor` and `can.viewer`: processor time and frames not shown, of the same source.

Each is a real process in a pseudo-terminal of its own, one after the other, fed by `frames` in another process through
python-can's own socketcand interface; sniff also through the project's interface `twinaxle`. The processor time is that
of the viewer's process while the frames come, its start not counted. Their stderr is left out: python-can's interface
logs a warning for each message that is split between two reads, which the other two let run across their screens.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from twinaxle.dbc.database import POWERTRAIN
from twinaxle.sniff.trial.terminal import Terminal

_COLUMNS, _ROWS = 160, 50
_GRACE_S = 0.5
"""After the last frame was sent, a viewer has so long to show it."""


class Viewer(NamedTuple):
    """A program to measure: its command, and how its screen tells the frames that it has received."""

    name: str
    command: tuple[str, ...]
    received: Callable[[str], int]
    interface: str = "socketcand"


class Result(NamedTuple):
    """What was measured. `behind` are frames sent but not shown half a second after the last one."""

    viewer: str
    rate_hz: float
    frames: int
    cpu: float
    """Share of one core."""
    behind: int
    output_bytes_per_s: float


def _number(pattern: str) -> Callable[[str], int]:
    def received(screen: str) -> int:
        found = re.search(pattern, screen)
        return int(found[1]) if found else 0

    return received


def _viewer_rows(screen: str) -> int:
    """The sum over can.viewer's rows, which begin with the count."""
    return sum(int(found) for found in re.findall(r"^ *(\d+) +\d+\.\d+", screen, re.MULTILINE))


VIEWERS = (
    Viewer("twinaxle sniff", ("-m", "twinaxle", "sniff"), _number(r"ids  (\d+) frames")),
    Viewer("  through twinaxle", ("-m", "twinaxle", "sniff"), _number(r"ids  (\d+) frames"), "twinaxle"),
    Viewer("cantools monitor", ("-m", "cantools", "monitor", str(POWERTRAIN)), _number(r"Received: (\d+)")),
    Viewer("can.viewer", ("-m", "can.viewer"), _viewer_rows),
)


def _join(interface: str, port: str) -> tuple[str, ...]:
    """python-can's arguments for a source."""
    if interface == "twinaxle":
        return "-i", interface, "-c", f"127.0.0.1:{port}"
    return "-i", interface, "-c", "vcan0", "--bus-kwargs", "host=127.0.0.1", f"port={port}"


def measure(viewer: Viewer, rate_hz: float, seconds: float) -> Result:
    """Let a viewer watch a source for so long. Raises TimeoutError if it shows nothing."""
    frames = int(rate_hz * seconds)
    source = subprocess.Popen(
        [sys.executable, "-m", "twinaxle.sniff.trial.frames", str(rate_hz), str(frames)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert source.stdout
    try:
        port = source.stdout.readline().strip()
        bus = _join(viewer.interface, port)
        command = (sys.executable, *viewer.command, *bus)
        with Terminal(command, _COLUMNS, _ROWS, stderr=subprocess.DEVNULL) as terminal:
            terminal.wait_for(viewer.received)
            seen, cpu_s, begin_s = viewer.received(terminal.text), terminal.cpu_s(), time.monotonic()
            output = len(terminal.output)
            terminal.listen(seconds * (1 - seen / frames) - 1.0)
            cpu_s = terminal.cpu_s() - cpu_s
            wall_s = time.monotonic() - begin_s
            output = len(terminal.output) - output
            told = json.loads(source.stdout.readline())
            terminal.listen(_GRACE_S)
            behind = told["sent"] + told["lost"] - viewer.received(terminal.text)
        return Result(viewer.name, rate_hz, frames, cpu_s / wall_s, behind, output / wall_s)
    finally:
        source.kill()
        source.wait()


def main() -> None:
    """Measure all viewers at half and full rate of a 1 Mbit/s bus and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    _say(f"{'':18}  frames/s    core  to sniff    frames behind   to the terminal")
    for rate_hz in (4000.0, 8000.0):
        first = 0.0
        for viewer in VIEWERS:
            result = measure(viewer, rate_hz, seconds)
            first = first or result.cpu
            _say(
                f"{result.viewer:18}  {rate_hz:8.0f}  {result.cpu:6.1%}  {result.cpu / first:7.1f}x  "
                f"{result.behind:6d} of {result.frames:6d}  {result.output_bytes_per_s / 1000:8.1f} kB/s"
            )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
