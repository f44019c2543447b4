"""Every fact of hil/board/conformance, one test each, on the virtual board or with --target on a real one."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import hil.board
from hil.board import VirtualBoard
from hil.bus import Bus, Frame
from hil.kernel import Kernel
from hil.live.target import is_on_bus

FOLDER = Path(hil.board.__file__).parent / "conformance"
SCRIPTS = sorted(FOLDER.glob("*.py"))
RUN_NS = 20_000_000_000


def facts(script: Path) -> list[str]:
    """Names of the facts that a script checks: every quoted name given to check() or listed in NAMES."""
    text = script.read_text()
    names = re.findall(r'^ *check\(\s*"(\w+)"', text, re.MULTILINE)
    for block in re.findall(r"^NAMES = \((.*?)\)$", text, re.MULTILINE | re.DOTALL):
        names += re.findall(r'"(\w+)"', block)
    assert len(names) == len(set(names)), f"{script}: a name is used twice"
    return names


class Partner:
    """The node beside the board: does what a script asks for, answers with a frame 0x7F0."""

    def __init__(self, kernel: Kernel, bus: Bus, board: VirtualBoard) -> None:
        self.kernel, self.bus, self.board = kernel, bus, board
        self.port = bus.attach("PARTNER")
        self.seen = 0
        self.rules: list[object] = []

    def look(self) -> None:
        """Read the board's console and serve what is new there."""
        lines = self.board.console[self.seen :]
        self.seen += len(lines)
        for line in lines:
            if line.text.startswith("ASK "):
                getattr(self, line.text[4:])()

    def _answer(self, then: object = None) -> None:
        self.port.send(Frame(0x7F0, b""), lambda ok: then() if callable(then) else None)

    def dlc_12(self) -> None:
        self._answer(lambda: self.kernel.after(5_000_000, lambda: self.board.receive_raw(0x7F0, 12, b"12345678")))

    def be_silent(self) -> None:
        def go() -> None:
            self.port.online = False

        self._answer(go)

    def listen(self) -> None:
        self.port.online = True

    def destroy_frames(self) -> None:
        self._answer(lambda: self.bus.corrupt(lambda frame: frame.can_id == 0x101, 1000))

    def leave_frames_alone(self) -> None:
        pass

    def hold_dominant_300_ms(self) -> None:
        def hold() -> None:
            self.bus.stuck_dominant = True
            self.kernel.after(300_000_000, release)

        def release() -> None:
            self.bus.stuck_dominant = False

        self._answer(lambda: self.kernel.after(1_000_000, hold))


@cache
def run_virtual(script: Path, flash: Path) -> str:
    """What the script prints on a virtual board; raises nothing when it fails."""
    (flash / "main.py").write_bytes(script.read_bytes())
    kernel = Kernel()
    bus = Bus(kernel)
    board = VirtualBoard(kernel, bus.attach("VCU"), flash, tick_cost_us=100, rx_cost_us=60)
    partner = Partner(kernel, bus, board)
    board.power_on()
    try:
        while board.main_ended is None and kernel.now_ns < RUN_NS:
            kernel.run_until(kernel.now_ns + 1_000_000)
            partner.look()
    finally:
        board.power_off()
    return board.console_text()


@cache
def run_real(script: Path, device: str) -> str:
    """What the script prints on a board at a serial device."""
    run = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", device, "run", str(script)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return run.stdout + run.stderr


@pytest.fixture(scope="session")
def flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flash")


@pytest.mark.parametrize(
    ("script", "fact"),
    [pytest.param(script, fact, id=f"{script.stem}-{fact}") for script in SCRIPTS for fact in facts(script)],
)
def test_fact(script: Path, fact: str, flash: Path, request: pytest.FixtureRequest) -> None:
    """The board prints PASS for the fact."""
    target = request.config.getoption("--target", default="virtual")
    if is_on_bus(target):
        pytest.skip("these scripts run on the board itself: give its serial port as --target")
    text = run_virtual(script, flash) if target == "virtual" else run_real(script, str(target))
    found = re.search(rf"^(PASS|FAIL|SKIP) {fact}\b(.*)$", text, re.MULTILINE)
    assert found, f"the script said nothing about it:\n{text}"
    if found[1] == "SKIP" and target != "virtual":
        pytest.skip(found[2].lstrip(": "))
    assert found[1] == "PASS", f"{found[0]}\n{text}"
