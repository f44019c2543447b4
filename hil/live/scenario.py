"""What the virtual driver of a live bench does by itself: nothing, start the car, hold a pedal, launches, a cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hil.nodes import Driver
from hil.nodes.driver import Script
from twinaxle.errors import UserError

Scenario = Callable[[Driver], None]
"""Sets the driver going; what follows happens by itself as time passes."""

NAMES = ("off", "drive", "pedal", "launch", "wltc")

_LAUNCH_MPS = 100 / 3.6
_LAUNCH_BRAKE_BAR = 60.0
_STILL_MPS = 0.1
_PAUSE_S = 3.0
_PEDAL_RAMP_S = 1.0
_LOOK_NS = 1_000_000_000


def scenario(name: str, pedal_percent: float = 20.0) -> Scenario:
    """The scenario of a name: "off" touches nothing, "drive" starts the car and takes the feet off, "pedal" goes on to
    hold the accelerator at `pedal_percent`, "launch" accelerates fully to 100 km/h and brakes to rest again and again,
    "wltc" drives the WLTC class 3b again and again. Any other name is that of a file with a cycle of one's own.

    Raises:
        UserError: no such scenario, or the file is no cycle.
    """
    if name == "off":
        return lambda driver: None
    if name == "drive":
        return lambda driver: driver.start_up()
    if name == "pedal":
        return lambda driver: driver.start_up(then=lambda: driver.pedal(pedal_percent, ramp_s=_PEDAL_RAMP_S))
    if name == "launch":
        return lambda driver: driver.start_up(then=lambda: driver.play(_launches(driver)))
    if name == "wltc":
        from hil.plant.cycle import wltc_class3b

        speeds_kmh = (wltc_class3b() * 3.6).tolist()
    elif "." in name or Path(name).exists():
        speeds_kmh = read_cycle(Path(name))
    else:
        raise UserError(f"there is no scenario {name!r}; there are {', '.join(NAMES)}, or a file with a cycle")
    return lambda driver: driver.start_up(then=lambda: _follow_again(driver, speeds_kmh))


def read_cycle(path: Path) -> list[float]:
    """A speed cycle in km/h, one value a second. The file has a value a line, or several columns of which the last
    counts; a heading and lines that begin with # are skipped.

    Raises:
        UserError: it cannot be read, or a line is no speed of 0 to 250 km/h.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the cycle cannot be read: {error}") from None
    speeds: list[float] = []
    for number, line in enumerate(lines, 1):
        word = line.replace(";", ",").split(",")[-1].strip()
        if not word or line.startswith("#"):
            continue
        try:
            speed = float(word)
        except ValueError:
            if not speeds:
                continue  # a heading
            raise UserError(f"{path}:{number}: {word!r} is no speed in km/h") from None
        if not 0.0 <= speed <= 250.0:
            raise UserError(f"{path}:{number}: {speed:g} km/h is outside 0 to 250")
        speeds.append(speed)
    if len(speeds) < 2:
        raise UserError(f"{path}: a cycle has a speed in km/h for each second, one a line; this has {len(speeds)}")
    return speeds


def _launches(driver: Driver) -> Script:
    plant = driver.plant
    while True:
        driver.brake(0)
        driver.pedal(100)
        yield lambda: plant.speed_mps >= _LAUNCH_MPS
        driver.pedal(0)
        driver.brake(_LAUNCH_BRAKE_BAR)
        yield lambda: abs(plant.speed_mps) < _STILL_MPS
        yield _PAUSE_S


def _follow_again(driver: Driver, speeds_kmh: Sequence[float]) -> None:
    """Follow the cycle, and once it is over begin again, unless the driver was told something else."""
    follower = driver.follow(speeds_kmh)

    def look() -> None:
        if driver.follower is not follower:
            return
        if follower.done:
            _follow_again(driver, speeds_kmh)
        else:
            driver.kernel.after(_LOOK_NS, look)

    look()
