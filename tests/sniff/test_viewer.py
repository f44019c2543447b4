"""What keys do: moving, opening, filters, search, order, marks, holding, recording."""

from pathlib import Path

import can
import pytest

from tests.sniff.conftest import ENGINE, EXTENDED, Frames, Session, frame
from twinaxle.errors import UserError
from twinaxle.sniff import keys
from twinaxle.sniff.controls import Controls
from twinaxle.sniff.prompt import Outcome, Prompt
from twinaxle.sniff.recording import Recorder
from twinaxle.sniff.viewer import ORDERS


@pytest.fixture
def busy(session: Session, engine: Frames) -> Session:
    """Engine at 100 a second, Extended at 10, and three unknown identifiers, the last one first."""
    frames = [*engine(n / 100 for n in range(101)), *(frame(n / 10, EXTENDED, "90010000") for n in range(11))]
    frames += [frame(0.0, can_id, "") for can_id in (0x300, 0x200, 0x001)]
    frames.sort(key=lambda one: one.timestamp)
    session.hear(*[one for one in frames if one.timestamp < 0.5])
    session.hear(*[one for one in frames if one.timestamp >= 0.5])
    return session


def shown(session: Session) -> list[str]:
    """Identifiers in the order of the screen."""
    return [f"{row.can_id:X}" for row in session.viewer.rows()]


def selected(session: Session) -> str:
    """The identifier under the cursor."""
    session.lines()
    return f"{session.viewer.rows()[session.viewer.index(session.viewer.rows())].can_id:X}"


def test_every_action_of_the_keys_exists_and_no_key_is_used_twice() -> None:
    bindings = [binding for group in keys.GROUPS for binding in group.bindings]
    used = [key for binding in bindings for key in binding.keys]
    assert len(used) == len(set(used))
    assert all(callable(getattr(Controls, f"do_{binding.action}")) for binding in bindings)
    actions = {name.removeprefix("do_") for name in dir(Controls) if name.startswith("do_")}
    assert actions == {binding.action for binding in bindings}


def test_moving(busy: Session) -> None:
    assert shown(busy) == ["1", "100", "200", "300", "CF004FE"]
    places = []
    for key in ("j", "KEY_DOWN", "k", "G", "j", "g", "KEY_UP", "KEY_NPAGE", "KEY_PPAGE"):
        busy.press(key)
        places.append(selected(busy))
    assert places == ["100", "200", "100", "CF004FE", "CF004FE", "1", "1", "CF004FE", "1"]


def test_the_selection_is_always_on_the_screen(busy: Session) -> None:
    for key in ["KEY_END", "KEY_HOME", "e", *["KEY_DOWN"] * 30, *["KEY_UP"] * 30]:
        busy.press(key)
        busy.lines(80, 8)
        assert busy.viewer.top >= 0
    assert selected(busy) == "1"


def test_a_message_longer_than_the_screen_is_scrolled_through(busy: Session) -> None:
    busy.press("j", "^J")
    seen = set()
    for _ in range(12):
        seen |= {line.split()[0] for line in busy.lines(100, 6) if line.strip()}
        busy.press("KEY_DOWN")
    assert {"ECU", "E2E", "bits", "Mode", "Speed", "Oil"} <= seen
    assert selected(busy) == "CF004FE"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", ["1", "100", "200", "300", "CF004FE"]),
        ("name", ["100", "CF004FE", "1", "200", "300"]),
        ("node", ["100", "CF004FE", "1", "200", "300"]),
        ("rate", ["100", "CF004FE", "1", "200", "300"]),
        ("age", ["100", "CF004FE", "1", "200", "300"]),
        ("faults", ["1", "100", "200", "300", "CF004FE"]),
    ],
)
def test_orders(busy: Session, order: str, expected: list[str]) -> None:
    while busy.viewer.order != order:
        busy.press("s")
    assert shown(busy) == expected
    busy.press("S")
    assert shown(busy) == expected[::-1]


def test_faults_come_first_when_sorted_by_them(busy: Session) -> None:
    busy.hear(frame(1.1, ENGINE, "FF" * 8))
    busy.viewer.order = "faults"
    assert shown(busy)[0] == "100"
    assert set(ORDERS) == {"id", "name", "node", "rate", "age", "faults"}


def test_the_filter_works_while_it_is_typed_and_escape_takes_it_back(busy: Session) -> None:
    busy.press("f", "eng")
    assert shown(busy) == ["100"]
    assert busy.lines()[-1].startswith("filter: eng")
    busy.press("^[")
    assert shown(busy) == ["1", "100", "200", "300", "CF004FE"]
    busy.press("f", "from:PANEL", "^J")
    assert shown(busy) == ["CF004FE"]
    assert "filter from:PANEL" in busy.lines()[-1]
    busy.press("f", "^U", "is:wrong")
    assert "is:wrong` is unknown" in busy.lines()[-1]
    busy.press("^J")
    assert shown(busy) == ["CF004FE"]
    busy.press("F")
    assert len(shown(busy)) == 5


def test_search_goes_round(busy: Session) -> None:
    places = []
    for typed in (["/", "is:unknown", "^M"], ["n"], ["n"], ["n"], ["N"]):
        busy.press(*typed)
        places.append(selected(busy))
    assert places == ["1", "200", "300", "1", "300"]
    busy.press("/", "nothing like it", "^J")
    assert "not found" in busy.lines()[-1]
    busy.press("/", "^J", "n")
    assert "nothing to search for" in busy.lines()[-1]


def test_marks(busy: Session) -> None:
    busy.press("M")
    assert "no message is marked" in busy.lines()[-1]
    busy.press("j", "m", "j", "m", "M")
    assert shown(busy) == ["100", "200"]
    assert "▸*100" in "\n".join(busy.lines()).replace(" ", "")
    busy.press("m", "M")
    assert len(shown(busy)) == 5


def test_absent_messages_are_shown_on_request(busy: Session) -> None:
    busy.press("a")
    assert shown(busy) == ["1", "100", "200", "300", "400", "CF004FE"]
    assert busy.line("Long")


def test_holding_keeps_the_picture_and_loses_nothing(busy: Session, engine: Frames) -> None:
    busy.press(" ")
    before = busy.line("Engine")
    busy.hear(*engine([1.5]), frame(1.6, 0x555, ""))
    assert busy.line("Engine") == before
    assert "HELD" in busy.text() and "555" not in shown(busy)
    busy.press("e", "j")
    assert "good 101" in busy.text()
    busy.press(" ")
    assert "HELD" not in busy.text() and "555" in shown(busy)
    assert busy.store.rows["can0", ENGINE].count == 102


def test_the_mark_in_time_and_notches(busy: Session) -> None:
    busy.press("t")
    busy.hear(frame(2.0, 0x001, "01"), frame(2.1, 0x001, "03"))
    for now_s in (3.0, 4.0, 5.0):
        busy.hear(now_s=now_s)
    row = busy.store.rows["can0", 0x001]
    assert busy.viewer.look().changed(row) == 0x03
    assert "changes of 4.0 s" in busy.lines()[-1]
    busy.press("x")
    assert busy.viewer.look().changed(row) == 0
    busy.press("X")
    assert busy.viewer.look().changed(row) == 0x03
    busy.press("T")
    assert busy.viewer.look().changed(row) == 0


def test_statistics_from_zero_and_everything_forgotten(busy: Session) -> None:
    busy.press("z")
    assert all(row.count == 0 for row in busy.store.rows.values())
    busy.press("Z")
    assert busy.store.rows == {}


def test_a_bus_whose_time_begins_again_is_another_run(busy: Session) -> None:
    # Only a live source can begin again; here its class is all that the viewer asks for.
    from twinaxle.sniff.source import LiveSource

    live = LiveSource.__new__(LiveSource)
    live.__dict__.update(busy.source.__dict__)
    live.take, live.now_s = busy.source.take, busy.source.now_s  # type: ignore[method-assign]
    busy.viewer.source = live
    busy.hear(frame(5.0, 0x001, ""))
    assert len(busy.store.rows) == 5
    busy.hear(frame(0.0, 0x001, ""))
    assert len(busy.store.rows) == 1 and busy.store.frames == 1


def test_recording(busy: Session, engine: Frames, tmp_path: Path) -> None:
    path = tmp_path / "made.asc"
    busy.press("f", "200", "^J", "w")
    assert busy.viewer.prompt and busy.viewer.prompt.text.endswith(".blf")
    busy.press("^U", str(path), "^J")
    busy.hear(*engine([2.0, 2.1]), frame(2.2, 0x200, "0102"))
    assert f"{path} 3" in busy.text()
    busy.press("w")
    assert f"{path}: 3 frames" in busy.lines()[-1]
    with can.LogReader(path) as reader:
        assert [(one.arbitration_id, one.data) for one in reader][-1] == (0x200, bytearray(b"\x01\x02"))
    busy.press("w", "^U", str(path), "^J")
    assert "exists already" in busy.lines()[-1] and not busy.viewer.recorder.is_on


def test_a_recording_that_cannot_be_is_told(busy: Session, tmp_path: Path) -> None:
    busy.press("w", "^U", str(tmp_path / "made.xyz"), "^J")
    assert "cannot be recorded to" in busy.lines()[-1]
    recorder = Recorder()
    with pytest.raises(UserError, match=r"nowhere/made\.log"):
        recorder.start(tmp_path / "nowhere" / "made.log")


def test_a_full_disk_ends_the_recording_and_not_the_view(busy: Session, tmp_path: Path) -> None:
    recorder = busy.viewer.recorder
    recorder.start(tmp_path / "made.log")

    class Full:
        def on_message_received(self, message: can.Message) -> None:
            raise OSError(28, "No space left on device")

        def stop(self) -> None:
            raise OSError(28, "No space left on device")

    recorder._logger.stop()
    recorder._logger = Full()
    busy.hear(frame(2.0, 1, ""))
    assert not recorder.is_on
    assert "ended after 0 frames: [Errno 28] No space left on device" in busy.lines()[-1]
    assert busy.line("Engine")


def test_help_scrolls_and_any_other_key_leaves_it(busy: Session) -> None:
    busy.press("h")
    assert "Look around" in busy.lines(100, 10)[0]
    assert any(binding.help in busy.text(120, 60) for binding in keys.GROUPS[0].bindings)
    for _ in range(80):
        busy.press("KEY_DOWN")
        last = busy.lines(100, 10)[-2]
    assert "frames missing by the counter" in last
    busy.press("x")
    assert busy.line("Engine")
    busy.press("h", "q")
    assert busy.viewer.is_over


def test_names_to_open_from_the_command_line(session: Session, engine: Frames) -> None:
    with pytest.raises(UserError, match="Motor"):
        session.viewer.open_names(["Motor"])
    session.viewer.open_names(["Engine"])
    session.hear(*engine([0.0]))
    assert "missing after 50 ms" in session.text()
    session.press("^J")
    assert "missing after 50 ms" not in session.text()


def test_editing_a_prompt() -> None:
    done: list[str] = []
    prompt = Prompt("name", done.append, "abc")
    for key in ["KEY_LEFT", "X", "KEY_BACKSPACE", "KEY_DC", "KEY_HOME", "1", "KEY_END", "2", "KEY_RIGHT", "^X", "ü"]:
        assert prompt.press(key) is Outcome.OPEN
    assert prompt.text == "1ab2ü"
    assert len(prompt.line(12).text) <= 12
    assert prompt.press("KEY_ENTER") is Outcome.DONE
    assert done == ["1ab2ü"]
    assert prompt.press("^[") is Outcome.DROPPED
