"""A small DBC, frames for it, and a viewer without terminal."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import can
import pytest

from twinaxle.dbc import Database, load_database, powertrain
from twinaxle.e2e import Protector
from twinaxle.sniff import strip
from twinaxle.sniff.controls import Controls
from twinaxle.sniff.faults import ErrorFrames
from twinaxle.sniff.glyphs import UNICODE
from twinaxle.sniff.load import frame_time
from twinaxle.sniff.recording import Recorder
from twinaxle.sniff.store import Store
from twinaxle.sniff.view import layout
from twinaxle.sniff.viewer import Viewer

DBC = """VERSION ""
NS_ :
BS_:
BU_: ECU PANEL

BO_ 256 Engine: 8 ECU
 SG_ Crc : 0|8@1+ (1,0) [0|255] "" PANEL
 SG_ Counter : 8|4@1+ (1,0) [0|14] "" PANEL
 SG_ Mode : 12|4@1+ (1,0) [0|2] "" PANEL
 SG_ Speed : 16|16@1- (0.5,0) [-1000|1000] "rpm" PANEL
 SG_ Oil : 39|8@0+ (1,-40) [-40|150] "degC" PANEL

BO_ 2364540158 Extended: 4 PANEL
 SG_ Level : 0|16@1+ (0.25,0) [0|100] "%" ECU
 SG_ Ratio : 16|16@1+ (1,0) [0|65535] "" ECU

BO_ 1024 Long: 64 ECU
 SG_ Far : 504|8@1+ (1,0) [0|255] "" PANEL

BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_ BO_ "RxTimeout" INT 0 65535;
BA_DEF_ BO_ "E2eProfile" INT 0 255;
BA_DEF_ BO_ "E2eDataId" INT 0 65535;
BA_DEF_ BO_ "E2eMaxDelta" INT 0 15;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_DEF_DEF_ "RxTimeout" 0;
BA_DEF_DEF_ "E2eProfile" 0;
BA_DEF_DEF_ "E2eDataId" 0;
BA_DEF_DEF_ "E2eMaxDelta" 2;
BA_ "GenMsgCycleTime" BO_ 256 10;
BA_ "RxTimeout" BO_ 256 50;
BA_ "E2eProfile" BO_ 256 1;
BA_ "E2eDataId" BO_ 256 256;
BA_ "E2eMaxDelta" BO_ 256 2;
BA_ "GenMsgCycleTime" BO_ 2364540158 100;
CM_ SG_ 256 Speed "Speed of the engine.";
VAL_ 256 Mode 0 "Off" 1 "On" 2 "Limp" ;
"""

ENGINE, EXTENDED, LONG = 0x100, 0x0CF004FE, 0x400


class Source:
    """A source that a test fills."""

    title = "test bus"

    def __init__(self) -> None:
        self.problem = ""
        self.words = ""
        self.time_s = 0.0
        self.waiting: list[can.Message] = []

    def take(self) -> Sequence[can.Message]:
        """What the test has put there."""
        taken, self.waiting = self.waiting, []
        if taken:
            self.time_s = taken[-1].timestamp
        return taken

    def now_s(self) -> float:
        """What the test says."""
        return self.time_s

    def state(self) -> str:
        """What the test says."""
        return self.words

    def close(self) -> None:
        """Nothing."""


class Session:
    """A viewer with its source: `hear` frames, `press` keys, look at `lines`."""

    def __init__(self, database: Database | None = None) -> None:
        self.source = Source()
        self.store = Store(database.by_id if database else {}, frame_time(), 500_000, ErrorFrames(as_socketcan=True))
        two_axles = strip.Strip(strip.calibrated_scale(), UNICODE)
        fits = database is not None and strip.fits(database.messages)
        self.viewer = Viewer(self.store, self.source, Recorder(), two_axles if fits else None)
        self.controls = Controls(self.viewer)

    def hear(self, *frames: can.Message, now_s: float | None = None) -> None:
        """Take frames, and look at the bus at a time, by default that of the last frame."""
        self.source.waiting += frames
        if now_s is not None:
            self.viewer.listen()
            self.source.time_s = now_s
        self.viewer.listen()

    def press(self, *keys: str) -> None:
        """Press keys: names, or texts of which each character is a key."""
        for key in keys:
            for one in [key] if key.startswith(("KEY_", "^")) else key:
                self.controls.press(one)

    def lines(self, width: int = 160, height: int = 40) -> list[str]:
        """The screen as text."""
        return [line.text.rstrip() for line in layout(self.viewer, width, height)]

    def text(self, width: int = 160, height: int = 40) -> str:
        """The screen as one text."""
        return "\n".join(self.lines(width, height))

    def line(self, name: str, width: int = 160, height: int = 40) -> str:
        """The only line with this text."""
        (found,) = [line for line in self.lines(width, height) if name in line]
        return found


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The small DBC."""
    path = tmp_path_factory.mktemp("dbc") / "small.dbc"
    path.write_text(DBC)
    return load_database(path)


@pytest.fixture
def session(database: Database) -> Session:
    """A session with the small DBC."""
    return Session(database)


@pytest.fixture
def car() -> Session:
    """A session with the powertrain's DBC."""
    return Session(powertrain())


def frame(time_s: float, can_id: int, data: bytes | str, *, channel: str = "can0", **flags: bool) -> can.Message:
    """A frame; identifiers above 0x7FF are extended."""
    payload = bytes.fromhex(data) if isinstance(data, str) else data
    return can.Message(
        timestamp=time_s, arbitration_id=can_id, data=payload, channel=channel,
        **({"is_extended_id": can_id > 0x7FF} | flags),
    )  # fmt: skip


Frames = Callable[[Iterable[float]], list[can.Message]]


@pytest.fixture
def engine() -> Frames:
    """Makes good frames of the message Engine, Mode On, 100 rpm, 20 degC, for these times; counters go on."""
    protector = Protector(0x100)

    def make(times: Iterable[float]) -> list[can.Message]:
        return [frame(time_s, ENGINE, protector.protect(bytes.fromhex("0010C8003C000000"))) for time_s in times]

    return make


@pytest.fixture
def data_folder() -> Path:
    """Awkward DBCs of the codec's tests."""
    return Path(__file__).parents[1] / "dbc" / "data"
