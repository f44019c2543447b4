"""A program in a pseudo-terminal whose screen can be read."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import pyte

PATIENCE_S = 60.0
"""For what a busy machine does in a moment of an idle one."""


class _Screen(pyte.Screen):
    """With the scrolling of xterm (SU and SD), which curses uses where it saves output and pyte does not know."""

    def scroll_up(self, count: int = 1) -> None:
        """Move the lines between the margins up."""
        self._scroll(count, self._bottom, self.index)

    def scroll_down(self, count: int = 1) -> None:
        """Move the lines between the margins down."""
        self._scroll(count, self.margins.top if self.margins else 0, self.reverse_index)

    @property
    def _bottom(self) -> int:
        return int(self.margins.bottom if self.margins else self.lines - 1)

    def _scroll(self, count: int, at: int, step: Callable[[], None]) -> None:
        row, self.cursor.y = self.cursor.y, at
        for _ in range(count or 1):
            step()
        self.cursor.y = row


class _Stream(pyte.ByteStream):
    """Finds the two in the output."""

    csi = pyte.ByteStream.csi | {"S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down"}


def _take_terminal() -> None:
    """In the child: the terminal becomes the controlling one, so that Ctrl-C and changes of its size signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Runs a program in a terminal of its own and keeps its screen, until `close`.

    Args:
        command: program and arguments.
        columns, rows: size of the terminal.
        environment: on top of ours; TERM is that of xterm with 256 colours.
        stderr: as for `subprocess.Popen`, in place of the terminal.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 120,
        rows: int = 40,
        environment: dict[str, str] | None = None,
        stderr: int | None = None,
    ) -> None:
        self.screen = _Screen(columns, rows)
        self.output = bytearray()
        """Everything that the program wrote, escape sequences included."""
        self._stream = _Stream(self.screen)
        self._master, slave = pty.openpty()
        self.modes = termios.tcgetattr(slave)
        """Modes of the terminal before the program ran."""
        self._slave = slave  # kept open so that the modes can be read after the program's end
        self._set_size(columns, rows)
        # curses believes these before it asks the terminal
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave if stderr is None else stderr,
            start_new_session=True, preexec_fn=_take_terminal,
            env=inherited | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"} | (environment or {}),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def lines(self) -> list[str]:
        """The screen as text."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def listen(self, seconds: float) -> None:
        """Take what the program writes for some time."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0 and self._take(left_s):
            pass

    def _take(self, wait_s: float) -> bool:
        """Take what is there; False when the program has ended and nothing is left."""
        if not select.select([self._master], [], [], min(wait_s, 0.05))[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.output += data
        self._stream.feed(data)
        return True

    def wait_for(self, condition: Callable[[str], object], seconds: float = PATIENCE_S) -> str:
        """The screen as soon as it meets a condition. Raises TimeoutError with the screen when it does not."""
        end_s = time.monotonic() + seconds
        while True:
            if condition(self.text):
                self._settle()  # not a picture that is half drawn
                if condition(self.text):
                    return self.text
            if time.monotonic() > end_s or not self._take(0.1):
                self._settle()
                if condition(self.text):
                    return self.text
                raise TimeoutError(f"not seen on the screen of {self.process.args!r}:\n{self.text}")

    def _settle(self, quiet_s: float = 0.03, most_s: float = 1.0) -> None:
        """Take what the program writes until it pauses."""
        end_s = time.monotonic() + most_s
        while time.monotonic() < end_s and select.select([self._master], [], [], quiet_s)[0] and self._take(0.0):
            pass

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def current_modes(self) -> list[object]:
        """Modes of the terminal at present."""
        return list(termios.tcgetattr(self._slave))

    def cpu_s(self) -> float:
        """Processor time of the program so far: user and system, all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:  # noqa: PTH123 (read in the measurement)
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """The exit code, when the program has ended. Raises TimeoutError if it does not."""
        end_s = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end_s:
                raise TimeoutError(f"{self.process.args!r} does not end:\n{self.text}")
            self._take(0.1)
        while select.select([self._master], [], [], 0)[0] and self._take(0.0):
            pass
        return int(self.process.returncode)

    def close(self) -> None:
        """End the program, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for number in (self._master, self._slave):
            os.close(number)
