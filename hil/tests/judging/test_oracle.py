"""Each safety goal is found violated when its condition outlasts its time, and only then."""

from collections.abc import Callable

import pytest

from hil.bus import Bus, Frame
from hil.judging.observer import Observer
from hil.judging.oracle import PERIOD_NS, Oracle
from hil.kernel import Kernel
from hil.plant import Plant
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec

NS_PER_MS = 1_000_000


class Scene:
    """A bus that one sender fills every control period, and a plant whose truth is set."""

    def __init__(self) -> None:
        self.kernel, self.plant = Kernel(), Plant()
        self.bus = Bus(self.kernel)
        self.sender, _ = self.bus.attach("A"), self.bus.attach("B")
        self.observer = Observer(self.bus, powertrain())
        self.oracle = Oracle(self.observer, self.plant)
        self.says: dict[str, dict[str, float]] = {
            "PedalsDriver": {"Gear": self.raw("PedalsDriver", "Gear", "D"), "BrakeSwitch": 0, "BrakePressure": 0},
            "VcuStatus": {"State": self.raw("VcuStatus", "State", "Drive")},
            "InvFrontStatus": {"State": self.raw("InvFrontStatus", "State", "Torque")},
            "InvRearStatus": {"State": self.raw("InvRearStatus", "State", "Torque")},
            "BmsStatus": {"HvilClosed": 1, "FaultLevel": 0},
            "BmsPack": {"ContactorState": self.raw("BmsPack", "ContactorState", "Closed")},
        }
        self.pedal(0)
        self.truth: Callable[[Plant], None] = lambda plant: None

    def raw(self, message: str, signal: str, label: str) -> int:
        return self.observer.raw(message, signal, label)

    def pedal(self, percent: float) -> None:
        self.says["PedalsDriver"].update(Apps1=500 + 40 * percent, Apps2=250 + 20 * percent)

    def run(self, milliseconds: int) -> set[str]:
        """Returns the goals violated so far."""
        for _ in range(milliseconds * NS_PER_MS // PERIOD_NS):
            for name, values in self.says.items():
                self.sender.send(Frame(powertrain().messages[name].frame_id, codec(name).pack(**values)))
            now_ns = self.kernel.now_ns + PERIOD_NS
            self.kernel.run_until(now_ns)
            self.plant.advance(now_ns)
            self.truth(self.plant)
            self.oracle.check(now_ns)
        return {violation.goal for violation in self.oracle.violations}


def _torque(
    front_nm: float, rear_nm: float, speed_mps: float = 0.0, wheel_radps: float = 0.0
) -> Callable[[Plant], None]:
    def truth(plant: Plant) -> None:
        plant.front.torque_nm, plant.rear.torque_nm = front_nm, rear_nm
        plant.speed_mps, plant.rear.wheel_speed_radps = speed_mps, wheel_radps

    return truth


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_car_that_obeys_violates_nothing(scene: Scene) -> None:
    scene.pedal(50)
    scene.truth = _torque(160.0, 160.0, 10.0, 30.0)
    assert scene.run(1000) == set()


@pytest.mark.parametrize(
    ("goal", "truth"),
    [
        ("G1", _torque(50.0, 50.0)),
        ("G2", _torque(-20.0, 0.0)),
        ("G4", _torque(0.0, -50.0, 15.0, 0.0)),
    ],
)
def test_torque_that_nobody_asked_for(scene: Scene, goal: str, truth: Callable[[Plant], None]) -> None:
    scene.truth = truth
    assert scene.run(100) == set()
    assert scene.run(20) == {goal}


def test_the_condition_has_to_hold_without_a_break(scene: Scene) -> None:
    for _ in range(5):
        scene.truth = _torque(50.0, 50.0)
        scene.run(90)
        scene.truth = _torque(0.0, 0.0)
        assert scene.run(10) == set()


def test_torque_outside_drive(scene: Scene) -> None:
    scene.says["VcuStatus"]["State"] = scene.raw("VcuStatus", "State", "Ready")
    scene.truth = _torque(6.0, 0.0)
    assert scene.run(100) == set()
    assert scene.run(20) == {"G3"}


def test_contactor_closed_without_precharge(scene: Scene) -> None:
    scene.plant.battery.link_voltage_v = 0.5 * scene.plant.battery.pack_voltage_v
    scene.plant.main_closed = True
    assert scene.run(10) == {"G5"}


@pytest.mark.parametrize("lost", ["InvFrontStatus", "InvRearStatus"])
@pytest.mark.parametrize("silent", [True, False])
def test_one_unit_lost_and_the_other_stopped(scene: Scene, lost: str, silent: bool) -> None:
    scene.pedal(50)
    scene.run(50)
    if silent:
        del scene.says[lost]
    else:
        scene.says[lost]["State"] = scene.raw(lost, "State", "Fault")
    assert scene.run(490) == set()
    assert scene.run(150) == {"G6"}


@pytest.mark.parametrize(
    ("message", "signal", "value"),
    [
        ("PedalsDriver", "BrakeSwitch", 1),
        ("PedalsDriver", "BrakePressure", 20),
        ("PedalsDriver", "Apps2", 2000),
        ("BmsStatus", "FaultLevel", 1),
        ("BmsStatus", "HvilClosed", 0),
        ("BmsPack", "ContactorState", 0),
    ],
)
def test_what_stops_both_units_is_a_cause(scene: Scene, message: str, signal: str, value: float) -> None:
    scene.pedal(50)
    scene.says["InvFrontStatus"]["State"] = scene.raw("InvFrontStatus", "State", "Fault")
    scene.says[message][signal] = value
    assert scene.run(1000) == set()
