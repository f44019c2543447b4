"""All virtual nodes on one bus, and a scripted commander in the place of the firmware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.bus import Bus, Frame
from hil.faults import Faults, Powered
from hil.kernel import Kernel
from hil.nodes import Bms, Driver, Esc, Inverter, Node, Pedals
from hil.plant import Plant
from twinaxle.dbc import powertrain
from twinaxle.dbc.codec import codec
from twinaxle.e2e import Checker, Protector, Verdict

NS_PER_MS = 1_000_000


class Sender:
    """One message of the commander, sent with E2E each cycle while `on`."""

    def __init__(self, rig: Rig, name: str, **values: float) -> None:
        self.message = powertrain().messages[name]
        self.values = values
        self.on = True
        self.sent_ns = 0
        self._rig = rig
        self._pack = codec(name).pack
        assert self.message.e2e is not None
        self._protect = Protector(self.message.e2e.data_id).protect
        rig.kernel.at(3_000_000, self._cycle)

    def set(self, **values: float | str) -> None:
        """Change signals; a string is a label of the value table."""
        for name, value in values.items():
            labels = {label: raw for raw, label in self.message.signal(name).choices.items()}
            self.values[name] = labels[value] if isinstance(value, str) else value

    @property
    def counter(self) -> int:
        """The counter of the newest frame."""
        return self.newest[1] & 0x0F

    def _cycle(self) -> None:
        self._rig.kernel.after(self.message.cycle_ms * NS_PER_MS, self._cycle)
        if self.on:
            self.newest = self._protect(self._pack(**self.values))
            self.sent_ns = self._rig.kernel.now_ns
            self._rig.vcu.send(Frame(self.message.frame_id, self.newest))


class Rig:
    """Kernel, bus, plant, nodes and commander. Attributes as in the bench where both have them."""

    def __init__(self, *, seed: int = 1, absent: tuple[str, ...] = ()) -> None:
        self.kernel = Kernel()
        self.bus = Bus(self.kernel)
        self.plant = Plant()
        here = (self.kernel, self.bus, self.plant)
        self.front = Inverter(*here, "front", seed=seed, present="INV_F" not in absent)
        self.rear = Inverter(*here, "rear", seed=seed, present="INV_R" not in absent)
        self.bms = Bms(*here, seed=seed, present="BMS" not in absent)
        self.pedals = Pedals(*here, seed=seed, present="PEDALS" not in absent)
        self.esc = Esc(*here, pedals=self.pedals, seed=seed, present="ESC" not in absent)
        self.bms.on_contactor += [self.front.contactor_moved, self.rear.contactor_moved]
        self.nodes: dict[str, Node] = {
            node.name: node for node in (self.front, self.rear, self.bms, self.pedals, self.esc)
        }
        self.driver = Driver(self.kernel, self.pedals, self.plant)
        self.vcu = self.bus.attach("VCU")
        self.board: Powered | None = None
        self.log: list[tuple[int, Frame, str]] = []
        self.errors: list[tuple[int, str]] = []
        self.bus.tap(lambda time_ns, frame, sender: self.log.append((time_ns, frame, sender)))
        self.bus.tap_errors(lambda time_ns, kind, sender: self.errors.append((time_ns, str(kind))))
        limits = {"TorqueLimitDrive": 400.0, "TorqueLimitRegen": 400.0, "SpeedLimit": 14_500.0}
        self.command = Sender(self, "VcuInvFrontCommand", Mode=0, TorqueRequest=0.0, **limits)
        self.rear_command = Sender(self, "VcuInvRearCommand", Mode=0, TorqueRequest=0.0, **limits)
        self.hv = Sender(self, "VcuHvCommand", HvRequest=0)
        self.status = Sender(self, "VcuStatus", State=1)
        self.faults = Faults(self)
        for node in self.nodes.values():
            node.power_on()
        self.front.set_enable(True)
        self.rear.set_enable(True)

    def run_ms(self, ms: float) -> None:
        self.kernel.run_until(self.kernel.now_ns + round(ms * NS_PER_MS))
        self.plant.advance(self.kernel.now_ns)

    def until(self, condition: Callable[[], bool], timeout_ms: float = 1000.0) -> float:
        """Run until the condition holds, looked at each half millisecond; returns the ms that it took."""
        start_ns = self.kernel.now_ns
        while not condition():
            assert self.kernel.now_ns - start_ns < timeout_ms * NS_PER_MS, f"not within {timeout_ms} ms"
            self.run_ms(0.5)
        return (self.kernel.now_ns - start_ns) / NS_PER_MS

    def frames(self, name: str, since_ns: int = 0) -> list[tuple[int, bytes]]:
        """Time and data of a message's frames on the bus."""
        can_id = powertrain().messages[name].frame_id
        return [
            (time_ns, frame.data) for time_ns, frame, _ in self.log if frame.can_id == can_id and time_ns > since_ns
        ]

    def latest(self, name: str) -> Any:
        """Physical values of the newest frame of a message."""
        return codec(name).unpack(self.frames(name)[-1][1])

    def label(self, message: str, signal: str) -> str:
        """Label of an enumerated signal in the newest frame."""
        return powertrain().messages[message].signal(signal).choices[getattr(self.latest(message), signal)]

    def verdicts(self, name: str, since_ns: int = 0) -> list[Verdict]:
        """What a receiver that has heard all frames of a message thinks of those after a time."""
        e2e = powertrain().messages[name].e2e
        assert e2e is not None
        checker = Checker(e2e.data_id, e2e.max_delta)
        return [v for time_ns, v in [(t, checker.check(d)) for t, d in self.frames(name)] if time_ns > since_ns]

    @property
    def now_ns(self) -> int:
        return self.kernel.now_ns

    def front_state(self) -> str:
        """State of the front inverter."""
        return self.front.state

    # --- ways into a state ---

    def close_contactors(self) -> None:
        """High voltage on, through precharge."""
        self.hv.set(HvRequest="Drive")
        self.until(lambda: self.bms.contactor_state == "Closed", 3000)

    def ready(self) -> None:
        """Contactors closed, both inverters in Standby, gear D."""
        self.close_contactors()
        self.until(lambda: self.front.state == "Standby" and self.rear.state == "Standby")
        self.pedals.gear = "D"
        self.run_ms(60)

    def torque(self, nm: float, settle_ms: float = 150.0) -> None:
        """The front unit in Torque with a request."""
        self.command.set(Mode="Torque", TorqueRequest=nm)
        self.run_ms(settle_ms)

    def roll(self, motor_radps: float) -> None:
        """The car moves already, with this speed at its motors."""
        driveline, tyre = self.plant.parameters.driveline, self.plant.parameters.tyre
        wheel = motor_radps / driveline.gear_ratio
        self.plant.speed_mps = wheel * tyre.rolling_radius_m
        for axle in (self.plant.front, self.plant.rear):
            axle.speed_radps, axle.wheel_speed_radps = motor_radps, wheel


@pytest.fixture
def rig() -> Rig:
    """All nodes with power, the inverters' enable lines high, HvRequest and Mode Off."""
    return Rig()


@pytest.fixture
def ready(rig: Rig) -> Rig:
    """High voltage on, both inverters in Standby, gear D."""
    rig.ready()
    return rig
