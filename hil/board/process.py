"""The interpreter as a child process: pipes, console, one processor for both, an end in every case."""

import atexit
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from multiprocessing import current_process, parent_process
from pathlib import Path

from hil.board.interpreter import heap_bytes, main_program
from hil.board.wire import BLOCK_BYTES
from twinaxle.errors import UserError

_affinity_users = 0
_affinity_before: set[int] = set()


def _share_one_processor() -> None:
    """Pin this process (and the children it starts) to one processor: a pipe round trip then takes 8 us instead of
    100.
    """
    global _affinity_users, _affinity_before
    _affinity_users += 1
    if _affinity_users > 1 or not hasattr(os, "sched_setaffinity"):
        return
    _affinity_before = os.sched_getaffinity(0)
    processors = sorted(_affinity_before)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {processors[place() % len(processors)]})


def place() -> int:
    """A number that is the next one for each process that works beside this one, so that they share no processor."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker[2:].isdigit():
        return int(worker[2:])
    if parent_process() is None:
        return os.getpid()
    _, _, index = current_process().name.rpartition("-")  # the pool's own count, from 1
    return os.getppid() + (int(index) if index.isdigit() else 1)


def _release_processor() -> None:
    global _affinity_users
    _affinity_users -= 1
    if _affinity_users == 0 and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, _affinity_before)


_PATH_BYTES = 255
"""MicroPython takes no longer word on its command line."""


def _of_fixed_length(path: str) -> str:
    """The same folder by a longer name: where a run's folder lies must not change what is free on the board's heap.

    Raises UserError for a path that MicroPython cannot take.
    """
    missing = _PATH_BYTES - len(os.fsencode(path))
    if missing < 0:
        raise UserError(f"the board's flash folder {path} has a path of more than {_PATH_BYTES} bytes; choose another")
    return path + "/" * (missing % 2) + "/." * (missing // 2)


_running: "weakref.WeakSet[BoardProcess]" = weakref.WeakSet()


@atexit.register
def _kill_all() -> None:
    for process in list(_running):
        process.kill()


_BLOCKED_S = 60.0
"""A board that neither asks nor computes for so long hangs too."""


class Silent(Exception):  # noqa: N818 - a condition, not an error
    """The board did not ask for anything within the limit."""


class Ended(Exception):  # noqa: N818 - a condition, not an error
    """The interpreter has ended by itself; the argument is its exit status."""


class BoardProcess:
    """One life of the interpreter, from power-on or reset to the next.

    `read_request` waits for the board's next request and collects what it prints on the way. A board that asks for
    nothing for `limit_s` counts as hung, but on a busy machine not before it has computed for half of that.
    """

    def __init__(
        self, micropython: Path, flash: Path, reset_cause: int, costs_us: tuple[int, int], rate: int, limit_s: float
    ) -> None:
        if not flash.is_dir():
            raise UserError(f"the board's flash folder {flash} does not exist")
        self.limit_s = limit_s
        self._poll_ms = max(round(limit_s * 1000 / 4), 1)
        self.printed = bytearray()
        flash_path = _of_fixed_length(os.fspath(flash.resolve()))
        _share_one_processor()
        request_in, request_out = os.pipe()
        reply_in, reply_out = os.pipe()
        command = [
            os.fspath(micropython), "-X", f"heapsize={heap_bytes(micropython, flash)}",
            os.fspath(main_program(micropython)), str(reply_in), str(request_out), flash_path,
            str(int(reset_cause)), *map(str, costs_us), str(rate),
        ]  # fmt: skip
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(reply_in, request_out),
                cwd=flash,
                start_new_session=True,  # Ctrl-C is for the bench
                env={key: value for key, value in os.environ.items() if key not in ("MICROPYPATH", "PYTHONPATH")},
            )
        except OSError as error:
            for end in (request_in, reply_out):
                os.close(end)
            _release_processor()
            raise UserError(f"cannot start {micropython}: {error}") from None
        finally:
            os.close(request_out)
            os.close(reply_in)
        assert self._child.stdout is not None
        self._stdout = self._child.stdout
        self._request = request_in
        self._reply = reply_out
        self._stdout_open = True
        self._alive = True
        self._poll = select.poll()
        self._poll.register(request_in, select.POLLIN)
        self._poll.register(self._stdout.fileno(), select.POLLIN)
        _running.add(self)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """The interpreter has not been killed."""
        return self._alive

    def read_request(self) -> bytes:
        """The next request, whole. Raises Silent or Ended."""
        request = self._request
        silent_from: tuple[float, float] | None = None
        while True:
            ready = self._poll.poll(self._poll_ms)
            if not ready:
                now = time.monotonic(), self._computed_s()
                waited_s, computed_s = (new - old for new, old in zip(now, silent_from or now, strict=True))
                if computed_s >= self.limit_s / 2 or waited_s >= max(self.limit_s, _BLOCKED_S):
                    raise Silent
                silent_from = silent_from or now
                continue
            got = b""
            for descriptor, _ in ready:
                if descriptor == request:
                    got = os.read(request, 4096)
                    if not got:
                        self.drain()
                        raise Ended(self._child.wait())
                else:
                    self._take_output()
            if got:
                return got

    def _computed_s(self) -> float:
        """Processor time of the interpreter; where the system does not tell, the wall clock."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                return time.clock_gettime(~self._child.pid << 3 | 2)  # what clock_getcpuclockid(3) gives
        return time.monotonic()

    def _take_output(self) -> None:
        text = os.read(self._stdout.fileno(), 65536)
        if text:
            self.printed += text
        elif self._stdout_open:
            self._stdout_open = False
            self._poll.unregister(self._stdout.fileno())

    def drain(self) -> None:
        """Take what has been printed up to here."""
        while self._stdout_open and select.select([self._stdout], [], [], 0)[0]:
            self._take_output()

    def write_reply(self, blocks: bytes | memoryview) -> None:
        """Give the board its reply, a whole number of blocks. Of one that has ended `read_request` will tell."""
        assert len(blocks) % BLOCK_BYTES == 0
        try:
            os.write(self._reply, blocks)
        except BrokenPipeError:
            return

    def kill(self) -> None:
        """End the interpreter at once, whatever it does; harmless when it has ended."""
        if not self._alive:
            return
        self._alive = False
        _running.discard(self)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self.drain()
        os.close(self._request)
        os.close(self._reply)
        self._stdout.close()
        _release_processor()
