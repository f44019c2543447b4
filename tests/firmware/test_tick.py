"""The whole tick in real MicroPython, heap locked from the first tick on: a start, a drive, and every fault's path.

The car around it is played from a file, frame by frame, so nothing here answers to the firmware.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from firmware_slots import raw

from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Protector
from twinaxle.micropython import find_micropython
from twinaxle.paths import FIRMWARE

PLAYER = Path(__file__).parent / "device" / "play.py"
STATE = {raw(f"VcuStatus.State.{name}"): name for name in
         ("Init", "Standby", "Precharge", "Ready", "Drive", "Limp", "Fault", "Charge", "Shutdown")}  # fmt: skip
CYCLES_MS = {"PedalsDriver": 10, "EscWheelSpeeds": 10, "EscMotion": 10, "InvFrontStatus": 10, "InvRearStatus": 10,
             "InvFrontLimits": 10, "InvRearLimits": 10, "BmsLimits": 20, "BmsPack": 20, "BmsStatus": 100,
             "InvFrontTemps": 100, "InvRearTemps": 100}  # fmt: skip
TEMPS = {"TempStator": 40, "TempInverter": 35, "TempCoolant": 30}
AVAILABLE = {"TorqueAvailableDrive": 330, "TorqueAvailableRegen": 330, "DcVoltage": 400, "DcCurrent": 0}
STATUS = {"State": 2, "TorqueActual": 0, "Speed": 0, "EchoCounter": 0, "GatesOn": 0, "Derating": 0, "Warning": 0,
          "FaultCode": 0}  # fmt: skip


class Film:
    """Frames of a car that a test changes as time goes by."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.protect = {name: Protector(powertrain().messages[name].frame_id) for name in CYCLES_MS}
        self.values: dict[str, dict[str, Any]] = {
            "PedalsDriver": {"Gear": 0, "StartButton": 0, "Apps1": 500, "Apps2": 250, "BrakePressure": 0,
                             "BrakeSwitch": 0, "OnePedal": 0, "DriveMode": 0},
            "EscWheelSpeeds": {"Valid": 15, "FrontLeft": 0, "FrontRight": 0, "RearLeft": 0, "RearRight": 0},
            "EscMotion": {"AbsActive": 0, "EscActive": 0, "TorqueMaxValid": 0, "AccelX": 0, "AccelY": 0, "YawRate": 0,
                          "TorqueMax": 0},
            "InvFrontStatus": dict(STATUS), "InvRearStatus": dict(STATUS),
            "InvFrontLimits": dict(AVAILABLE), "InvRearLimits": dict(AVAILABLE),
            "BmsLimits": {"DischargePowerMax": 370_000, "ChargePowerMax": 150_000, "Soc": 60},
            "BmsPack": {"ContactorState": 0, "PackVoltage": 400, "LinkVoltage": 0, "PackCurrent": 0, "Isolation": 2000},
            "BmsStatus": {"FaultLevel": 0, "HvilClosed": 1, "CellTempMin": 20, "CellTempMax": 25,
                          "CellVoltageMin": 3600, "CellVoltageMax": 3700, "PlugConnected": 0, "ChargeActive": 0},
            "InvFrontTemps": dict(TEMPS), "InvRearTemps": dict(TEMPS),
        }  # fmt: skip
        self.silent: set[str] = set()

    def set(self, message: str, **values: Any) -> None:
        self.values[message].update(values)

    def units(self, **values: Any) -> None:
        self.set("InvFrontStatus", **values)
        self.set("InvRearStatus", **values)

    def press(self, percent: float) -> None:
        self.set("PedalsDriver", Apps1=500 + 40 * percent, Apps2=250 + 20 * percent)

    def run(self, ms: int, action: str = "") -> None:
        for tick in range(ms // 10):
            words = [action] if tick == 0 and action else []
            for name, cycle in CYCLES_MS.items():
                if len(self.lines) * 10 % cycle == 0 and name not in self.silent:
                    frame = self.protect[name].protect(codec(name).pack(**self.values[name]))
                    words.append(f"{powertrain().messages[name].frame_id:x}:{frame.hex()}")
            self.lines.append(" ".join(words))

    def start(self) -> None:
        """To Ready."""
        self.run(200)
        self.set("PedalsDriver", StartButton=1, BrakeSwitch=1)
        self.run(50)
        self.set("PedalsDriver", StartButton=0)
        for volts in range(0, 401, 10):
            self.set("BmsPack", ContactorState=1, LinkVoltage=volts)
            self.run(10)
        self.run(120)
        self.set("BmsPack", ContactorState=2)
        self.run(60)

    def drive(self, kmh: float = 60, percent: float = 100) -> None:
        """To Drive, with this speed and pedal."""
        self.start()
        self.units(Speed=kmh * 66.67)
        self.set("EscWheelSpeeds", FrontLeft=kmh, FrontRight=kmh, RearLeft=kmh, RearRight=kmh)
        self.run(100)
        self.set("PedalsDriver", Gear=3)
        self.run(50)
        self.set("PedalsDriver", BrakeSwitch=0)
        self.units(State=3)
        self.press(percent)
        self.run(600)

    def play(self, folder: Path) -> "Result":
        path = folder / "film.txt"
        path.write_text("\n".join(self.lines) + "\n")
        environment = {**os.environ, "MICROPYPATH": str(FIRMWARE)}
        done = subprocess.run([find_micropython().path, PLAYER, path], env=environment, capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Result([tuple(map(int, line.split())) for line in done.stdout.splitlines()])


class Result:
    def __init__(self, rows: list[tuple[int, ...]]) -> None:
        self.rows = rows

    @property
    def states(self) -> list[str]:
        """As they came, without repetition."""
        names = [STATE[row[0]] for row in self.rows]
        return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]

    def torque(self, ms_from_end: int = 10) -> int:
        row = self.rows[-ms_from_end // 10]
        return row[2] + row[3]

    @property
    def lines(self) -> tuple[int, ...]:
        return self.rows[-1][4:]


STARTED = ["Init", "Standby", "Precharge", "Ready"]
DRIVING = [*STARTED, "Drive"]


@pytest.mark.req("RT-02", "SM-01", "SM-02", "SM-03")
def test_from_start_to_full_torque_and_back(tmp_path):
    film = Film()
    film.drive(kmh=10)
    full = film.play(tmp_path)
    assert full.states == DRIVING
    assert full.torque() == 6600
    film.press(0)
    film.run(800)
    film.units(Speed=0)
    film.set("PedalsDriver", Gear=0, BrakeSwitch=1)
    film.run(200)
    film.set("PedalsDriver", StartButton=1)
    film.run(50)
    film.set("BmsPack", ContactorState=0)
    film.run(100)
    film.set("BmsPack", LinkVoltage=0)
    film.run(100)
    assert film.play(tmp_path).states == [*DRIVING, "Ready", "Shutdown", "Standby"]


@pytest.mark.req("RT-02", "SM-05")
def test_charge(tmp_path):
    film = Film()
    film.set("BmsStatus", PlugConnected=1)
    film.run(500)
    film.set("BmsPack", ContactorState=2, LinkVoltage=400)
    film.run(500)
    film.set("BmsStatus", PlugConnected=0)
    film.run(300)
    result = film.play(tmp_path)
    assert result.states == ["Init", "Standby", "Charge", "Shutdown"]
    assert all(row[2] == row[3] == 0 for row in result.rows)


def silence(*messages: str) -> Callable[[Film], None]:
    return lambda film: film.silent.update(messages)


def change(message: str, **values: Any) -> Callable[[Film], None]:
    return lambda film: film.set(message, **values)


PATHS: dict[str, tuple[Callable[[Film], Any], str, bool]] = {
    # what happens in Drive at full pedal: change, state 500 ms later, torque is left
    "pedals silent": (silence("PedalsDriver"), "Fault", False),
    "front silent": (silence("InvFrontStatus"), "Limp", True),
    "rear limits silent": (silence("InvRearLimits"), "Limp", True),
    "both silent": (silence("InvFrontStatus", "InvRearStatus"), "Fault", False),
    "front in fault": (change("InvFrontStatus", State=5, FaultCode=7), "Limp", True),
    "sensors apart": (change("PedalsDriver", Apps1=3000), "Drive", False),
    "sensor short": (change("PedalsDriver", Apps2=0), "Drive", False),
    "brake and pedal": (change("PedalsDriver", BrakeSwitch=1), "Drive", False),
    "unknown gear": (change("PedalsDriver", Gear=7), "Drive", False),
    "interlock": (change("BmsStatus", HvilClosed=0), "Shutdown", False),
    "battery shutdown": (change("BmsStatus", FaultLevel=3), "Shutdown", False),
    "contactors open": (change("BmsPack", ContactorState=0), "Fault", False),
    "weld": (change("BmsPack", ContactorState=4), "Fault", False),
    "no battery power": (change("BmsLimits", DischargePowerMax=0), "Drive", False),
    "battery silent": (silence("BmsLimits", "BmsPack", "BmsStatus"), "Drive", True),
    "stability control": (change("EscMotion", TorqueMaxValid=1, TorqueMax=100), "Drive", True),
    "stability control silent": (silence("EscMotion", "EscWheelSpeeds"), "Drive", True),
    "everything silent": (silence(*CYCLES_MS), "Fault", False),
    "unit gives too much": (lambda film: (film.press(0), film.units(TorqueActual=330)), "Fault", False),
    "over speed": (lambda film: film.units(Speed=14_500), "Drive", False),
}  # fmt: skip


@pytest.mark.req("RT-02", "SF-01", "SF-02", "SF-03", "SF-12", "LM-03", "TQ-08")
@pytest.mark.parametrize("name", PATHS)
def test_no_path_of_a_fault_allocates(tmp_path, name):
    happens, state, torque_left = PATHS[name]
    film = Film()
    film.drive()
    happens(film)
    film.run(500)
    result = film.play(tmp_path)
    assert result.states[: len(DRIVING)] == DRIVING
    assert result.states[-1] == state
    if name != "unit gives too much":
        assert (result.torque() > 0) == torque_left
    if state in ("Fault", "Limp"):
        assert result.lines != (1, 1) or name in ("front silent", "rear limits silent", "front in fault")


@pytest.mark.req("RT-02", "SF-07")
def test_bus_off_takes_torque_and_lines_at_once_and_rearms_with_a_released_pedal(tmp_path):
    film = Film()
    film.drive()
    film.run(10, "off")
    off = film.play(tmp_path)
    assert off.torque() == 0
    assert off.lines == (0, 0)
    film.run(500)
    assert film.play(tmp_path).torque() == 0
    film.press(0)
    film.run(50)
    film.press(50)
    film.run(300)
    result = film.play(tmp_path)
    assert result.states == DRIVING
    assert result.torque() > 0
    assert result.lines == (1, 1)


@pytest.mark.req("RT-02", "SF-07")
def test_three_bus_offs_in_10_s_latch(tmp_path):
    film = Film()
    film.drive()
    film.press(0)
    for _ in range(3):
        film.run(1000, "off")
    film.press(50)
    film.run(200)
    result = film.play(tmp_path)
    assert result.states == [*DRIVING, "Fault"]
    assert result.torque() == 0


@pytest.mark.req("RT-02", "SF-04")
def test_the_monitors_verdict_ends_torque_for_good(tmp_path):
    film = Film()
    film.drive()
    film.run(30, "trip")
    film.press(0)
    film.run(200)
    film.press(50)
    film.run(200)
    result = film.play(tmp_path)
    assert result.states == [*DRIVING, "Fault"]
    assert result.torque() == 0
    assert result.lines == (0, 0)


@pytest.mark.req("RT-02")
def test_full_mailboxes_hold_nothing_up(tmp_path):
    film = Film()
    film.drive()
    film.run(2000, "full")
    film.run(200, "free")
    result = film.play(tmp_path)
    assert result.states == DRIVING
    assert result.torque() > 0
