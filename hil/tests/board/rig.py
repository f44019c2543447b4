"""A board alone on a bus with one more node, and firmware given as text."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any, Protocol

from hil.board import VirtualBoard
from hil.board.board import BOOT_NS
from hil.bus import Bus, Frame
from hil.kernel import Kernel

MS = 1_000_000


class Rig:
    """One board, one partner node, and what went over the bus."""

    def __init__(self, flash: Path, program: str | None, **options: Any) -> None:
        if program is not None:
            (flash / "main.py").write_text(dedent(program))
        self.kernel = Kernel()
        self.bus = Bus(self.kernel)
        options.setdefault("tick_cost_us", 500)  # the tests' figures; not those of our firmware
        self.board = VirtualBoard(self.kernel, self.bus.attach("VCU"), flash, **options)
        self.partner = self.bus.attach("PARTNER")
        self.sent: list[tuple[int, Frame]] = []
        self.bus.tap(lambda time_ns, frame, sender: self.sent.append((time_ns, frame)) if sender == "VCU" else None)

    def start(self) -> None:
        """Power on and up to the instant before the firmware's first line; board time 0 is here."""
        self.board.power_on()
        self.kernel.run_until(BOOT_NS - 1)

    def run_ms(self, milliseconds: float) -> None:
        """Let the bench's time run."""
        self.kernel.run_until(self.kernel.now_ns + round(milliseconds * MS))

    def until(self, text: str, limit_ms: float = 1000) -> None:
        """Run until the board has printed `text`."""
        end_ns = self.kernel.now_ns + round(limit_ms * MS)
        while text not in self.board.console_text():
            assert self.kernel.now_ns < end_ns, f"no {text!r} in:\n{self.board.console_text()}"
            self.run_ms(1)

    def at_board_us(self, time_us: int, action: Callable[[], None]) -> None:
        """Have something happen when the board's (exact) clock shows a time."""
        self.kernel.at(BOOT_NS + time_us * 1000, action)

    def burst_at_us(self, time_us: int, *frames: Frame) -> None:
        """The partner queues these frames at a board time."""

        def send() -> None:
            for frame in frames:
                self.partner.send(frame)

        self.kernel.at(BOOT_NS + time_us * 1000, send)

    @property
    def text(self) -> str:
        """What the board printed."""
        return self.board.console_text()


class MakeRig(Protocol):
    """The fixture `rig`: makes rigs out of a program and options of VirtualBoard; they end with the test."""

    def __call__(self, program: str | None = None, **options: Any) -> Rig: ...
