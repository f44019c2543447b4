"""A MicroPython that runs generated codecs, and a strategy that makes DBC files."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from twinaxle.dbc.layout import Entry, Layout, make_layout
from twinaxle.dbc.micropython import generate
from twinaxle.dbc.model import Database
from twinaxle.micropython import find_micropython

HARNESS = Path(__file__).parent / "device.py"
BATCH = 256  # operations in one line: the device reads a line as one string


class Device:
    """A MicroPython child process with one generated codec in it."""

    def __init__(self, folder: Path) -> None:
        self._module = folder / "codec.py"
        command = [str(find_micropython().path), "-X", "heapsize=16m", str(HARNESS)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def load(self, database: Database, node: str | None = None) -> Layout:
        """Generate and load a codec; what was loaded before is gone."""
        self._module.write_text(generate(database, node))
        layout = make_layout(database, node)
        self._received = len(layout.received)
        assert self.run(["load", str(self._module)]) == [[len(layout.received), len(layout.sent)]]
        return layout

    def run(self, *operations: list[Any]) -> list[Any]:
        """The results of operations of `device.py`."""
        assert self._process.stdin and self._process.stdout
        results = []
        for at in range(0, len(operations), BATCH):
            self._process.stdin.write(json.dumps(operations[at : at + BATCH]) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            assert isinstance(answer, list), answer
            results += answer
        return results

    def place(self, entry: Entry) -> int:
        """The number of a sent message among those that are sent."""
        return entry.index - self._received

    def unpack(self, entry: Entry, frames: list[bytes]) -> list[dict[str, int]]:
        """Raw values by signal name for each frame; signals that the frame does not carry keep what they had."""
        answers = self.run(*(["accept", entry.key, frame.hex(), len(frame)] for frame in frames))
        assert all(verdict == 0 for verdict, _ in answers)
        return [{name: joined(entry, name, slots) for name in entry.slots} for _, slots in answers]

    def pack(self, entry: Entry, values: list[dict[str, int]]) -> list[bytes]:
        """The frames for raw values by signal name; signals not named keep what they had."""
        answers = self.run(*(["pack", self.place(entry), split(entry, raw)] for raw in values))
        frames = []
        for buffer in answers:
            assert buffer[16:] == "a5" * 8, "pack wrote past the eighth byte"
            frames.append(bytes.fromhex(buffer)[: entry.message.length])
        return frames

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(5)


def joined(entry: Entry, name: str, slots: list[int]) -> int:
    """The raw value of a signal from its slots."""
    value = 0
    for place, piece in enumerate(entry.slots[name]):
        value += slots[piece.slot] << 16 * place
    return value


def split(entry: Entry, raw: dict[str, int]) -> list[list[int]]:
    """[slot, value] for every slot of raw values by signal name."""
    result = []
    for name, value in raw.items():
        pieces = entry.slots[name]
        for place, piece in enumerate(pieces):
            part = value if len(pieces) == 1 else value >> 16 * place
            result.append([piece.slot, part if piece is pieces[-1] else part & 0xFFFF])
    return result


@pytest.fixture(scope="session")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    one = Device(tmp_path_factory.mktemp("codec"))
    yield one
    one.close()


@dataclass
class MadeSignal:
    """A signal of a made DBC, as its text needs it."""

    name: str
    start: int
    length: int
    big: bool
    signed: bool
    mux: str = ""  # "", "M", "m3", "m3M"
    of: str = ""
    values: list[tuple[int, int]] = field(default_factory=list)

    @property
    def bits(self) -> set[int]:
        """The numbers of its bits in the frame (byte * 8 + bit)."""
        if not self.big:
            return set(range(self.start, self.start + self.length))
        result, bit = set(), self.start
        for _ in range(self.length):
            result.add(bit)
            bit = bit - 1 if bit % 8 else bit + 15
        return result

    def text(self) -> str:
        order, sign, mux = "0" if self.big else "1", "-" if self.signed else "+", f" {self.mux}" if self.mux else ""
        return f' SG_ {self.name}{mux} : {self.start}|{self.length}@{order}{sign} (1,0) [0|0] "" B'


@dataclass
class MadeMessage:
    name: str
    identifier: int
    extended: bool
    length: int
    signals: list[MadeSignal]

    @property
    def key(self) -> int:
        return self.identifier | (1 << 31 if self.extended else 0)

    def text(self) -> str:
        lines = [f"BO_ {self.key} {self.name}: {self.length} A", *(signal.text() for signal in self.signals)]
        return "\n".join(lines)

    def mux_lines(self) -> list[str]:
        return [
            f"SG_MUL_VAL_ {self.key} {one.name} {one.of} {', '.join(f'{a}-{b}' for a, b in one.values)};"
            for one in self.signals
            if one.of
        ]


def dbc_text(messages: list[MadeMessage]) -> str:
    extended = [line for message in messages for line in message.mux_lines()]
    body = "\n\n".join(message.text() for message in messages)
    return 'VERSION ""\n\nNS_ :\n\nBS_:\n\nBU_: A B\n\n' + body + "\n\n" + "\n".join(extended) + "\n"


def _place(draw: Any, free: set[int], size: int, name: str, longest: int) -> MadeSignal | None:
    """A signal somewhere in the free bits of a message of `size` bytes, or None if the draw does not fit."""
    length = draw(st.integers(1, longest))
    big, signed = draw(st.booleans()), draw(st.booleans())
    start = draw(st.integers(0, size * 8 - 1))
    while length:
        one = MadeSignal(name, start, length, big, signed)
        if one.bits <= free:
            return one
        length //= 2
    return None


@st.composite
def _message(draw: Any, number: int) -> MadeMessage:
    size = draw(st.integers(0, 8)) if draw(st.booleans()) else 8
    extended = draw(st.booleans())
    identifier = number + 16 * draw(st.integers(0, (1 << (25 if extended else 7)) - 1))
    message = MadeMessage(f"M{number}", identifier, extended, size, [])
    free = set(range(size * 8))
    if size and draw(st.booleans()):
        selector = _place(draw, free, size, "Sel", 6)
        if selector:
            selector.mux, selector.signed = "M", False
            free -= selector.bits
            message.signals.append(selector)
    for at in range(draw(st.integers(0, 10)) if size else 0):
        if one := _place(draw, free, size, f"S{at}", 64):
            free -= one.bits
            message.signals.append(one)
    if message.signals and message.signals[0].mux:
        _multiplex(draw, message, message.signals[0], free, size, depth=0)
    return message


def _multiplex(draw: Any, message: MadeMessage, selector: MadeSignal, free: set[int], size: int, depth: int) -> None:
    """Adds signals under a selector; under one value they do not overlap, under different ones they may."""
    top = (1 << selector.length) - 1
    low = 0
    for group in range(draw(st.integers(1, 3))):
        if low > top:
            break
        high = draw(st.integers(low, min(top, low + 3)))
        room = set(free)
        for at in range(draw(st.integers(1, 3))):
            one = _place(draw, room, size, f"{selector.name}_{group}_{at}", 6 if at == 0 and depth == 0 else 64)
            if one is None:
                continue
            room -= one.bits
            one.mux, one.of, one.values = f"m{low}", selector.name, [(low, high)]
            message.signals.append(one)
            if at == 0 and depth == 0 and draw(st.booleans()):
                one.mux, one.signed = one.mux + "M", False
                rest = room - set().union(*(s.bits for s in message.signals if s.of == selector.name))
                _multiplex(draw, message, one, rest, size, depth=1)
                room -= set().union(*(s.bits for s in message.signals if s.of == one.name), set())
        low = high + 1 + draw(st.integers(0, 2))


@pytest.fixture(scope="session")
def made_dbc() -> st.SearchStrategy[str]:
    """The text of a DBC with up to three messages: both byte orders, signs, multiplexing (also nested), any length."""
    return st.integers(1, 3).flatmap(lambda count: st.tuples(*(_message(n) for n in range(count)))).map(
        lambda messages: dbc_text(list(messages))
    )  # fmt: skip


@pytest.fixture(scope="session")
def load_text(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Database]:
    """Loads a DBC from its text."""
    from twinaxle.dbc import load_database

    path = tmp_path_factory.mktemp("made") / "made.dbc"

    def load(text: str) -> Database:
        path.write_text(text)
        return load_database(path)

    return load
