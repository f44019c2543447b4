"""What the driver of a live bench does by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.live.keys import Keys
from hil.live.lateness import Lateness
from hil.live.scenario import NAMES, read_cycle, scenario
from hil.nodes import Driver
from hil.tests.nodes.conftest import Rig
from twinaxle.errors import UserError


@pytest.fixture
def rig() -> Rig:
    return Rig()


def started(rig: Rig, name: str, pedal_percent: float = 20.0) -> Driver:
    """The scenario right after the start of the car, which is not of interest here."""
    rig.driver.start_up = lambda gear="D", then=None: then() if then else None  # type: ignore[method-assign]
    scenario(name, pedal_percent)(rig.driver)
    return rig.driver


def pass_s(rig: Rig, seconds: float) -> None:
    rig.kernel.run_until(rig.kernel.now_ns + round(seconds * 1e9))


def test_pedal(rig: Rig) -> None:
    driver = started(rig, "pedal", 35)
    pass_s(rig, 0.5)
    assert driver.pedals.pedal_percent == pytest.approx(17.5, abs=1)
    pass_s(rig, 1)
    assert driver.pedals.pedal_percent == 35


def test_launches_again_and_again(rig: Rig) -> None:
    rig.driver.gear("D")
    driver = started(rig, "launch")
    plant = rig.plant
    for _ in range(2):
        pass_s(rig, 0.1)
        assert (driver.pedals.pedal_percent, driver.pedals.brake_bar) == (100, 0)
        plant.advance(rig.kernel.now_ns)
        plant.place(28.0)
        pass_s(rig, 0.1)
        assert driver.pedals.pedal_percent == 0
        assert driver.pedals.brake_bar > 0
        plant.advance(rig.kernel.now_ns)
        plant.place(0.0)
        pass_s(rig, 3.1)


def test_a_cycle_begins_again(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "cycle.csv"
    path.write_text("time_s,speed_kmh\n0,0\n1,0\n2,0\n")
    driver = started(rig, str(path))
    first = driver.follower
    assert first is not None
    assert first.length_s == 2
    pass_s(rig, 4)
    assert first.done
    assert driver.follower not in (first, None)
    driver.pedal(10)  # somebody else takes over
    pass_s(rig, 4)
    assert driver.follower is None
    assert driver.pedals.pedal_percent == 10


def test_wltc(rig: Rig) -> None:
    driver = started(rig, "wltc")
    assert driver.follower is not None
    assert driver.follower.length_s == 1800


def test_names() -> None:
    for name in NAMES:
        assert callable(scenario(name))
    with pytest.raises(UserError, match="no scenario 'race'; there are off, drive"):
        scenario("race")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0\n10\nfast\n", r"cycle.csv:3: 'fast' is no speed"),
        ("0\n300\n", r"cycle.csv:2: 300 km/h is outside 0 to 250"),
        ("0\nnan\n", r"cycle.csv:2: nan km/h is outside"),
        ("# nothing\n5\n", r"a speed in km/h for each second.*has 1"),
    ],
)
def test_files_that_are_no_cycle(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "cycle.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=reason):
        read_cycle(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_cycle(tmp_path / "none.csv")


def test_lateness() -> None:
    late, more = Lateness(), Lateness()
    assert late.percentile_ms(99) == 0.0
    for number in range(99):
        late.add(number * 0.01)
    more.add(250.0)
    late.merge(more)
    assert late.worst_ms == 250.0
    assert late.percentile_ms(50) == pytest.approx(0.5)
    assert late.percentile_ms(99) == pytest.approx(1.0)
    assert late.percentile_ms(100) == pytest.approx(100.1)


# --- keys ---


def test_keys_drive(rig: Rig) -> None:
    ended: list[bool] = []
    keys = Keys(rig.driver, lambda: ended.append(True))
    pedals = rig.pedals
    keys.press(b"d\x1b[A\x1b[A\x1bOA")
    assert (pedals.gear, pedals.pedal_percent) == ("D", 15)
    keys.press(b"\x1b[B")
    assert pedals.pedal_percent == 10
    keys.press(b" ")
    assert (pedals.pedal_percent, pedals.brake_bar) == (0, 30)
    keys.press(b" r")
    assert (pedals.brake_bar, pedals.gear) == (0, "R")
    keys.press(b"\x1b[B" * 3 + b"\x1b[A" * 30)
    assert pedals.pedal_percent == 100
    keys.press(b"0nx?\xff\x1b[Z")
    assert (pedals.pedal_percent, pedals.gear) == (0, "N")
    keys.press(b"p")
    assert pedals.gear == "P"
    assert not ended
    keys.press(b"q")
    assert ended


def test_the_start_key_starts_and_shuts_down(rig: Rig) -> None:
    keys = Keys(rig.driver, lambda: None)
    rig.run_ms(50)
    keys.press(b"s")
    rig.run_ms(300)
    assert rig.pedals.start_button
    rig.status.set(State="Drive")
    rig.run_ms(1000)
    rig.driver.gear("D")
    keys.press(b"s")
    rig.run_ms(100)
    assert rig.pedals.gear == "P"
