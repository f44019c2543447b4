"""The brake and stability controller: wheel speeds, motion, a torque limit, and a simple ABS."""

from __future__ import annotations

from ctypes import Structure
from typing import TYPE_CHECKING, Any, ClassVar

from hil.native import access, compiled, memory, structure
from hil.nodes.base import Node, Provider, Values
from hil.nodes.layout import layout_at
from hil.nodes.transmit import Outgoing, queue_next
from hil.plant.state import State

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.nodes.pedals import Pedals
    from hil.plant import Plant
    from twinaxle.dbc import Database

_ABS_MIN_MPS = 2.0  # no ABS slower than this (assumed)
_ABS_ON_SLIP = 0.18  # assumed: a tyre's force peaks at about 10 % of slip
_ABS_OFF_SLIP = 0.08
_ABS_RELEASE = 0.6  # share of the pressure that is left after one step of 10 ms
_ABS_REFILL = 0.05  # share of the pressure that comes back in one step
WHEELS = ("front_left", "front_right", "rear_left", "rear_right")
ALL_VALID = 0b1111


@structure
class Told(Structure):
    """What the ESC sends and does not measure."""

    valid: int
    abs_active: bool
    esc_active: bool
    limits_torque: bool
    torque_max_nm: float
    accel_y_mps2: float
    yaw_rate_dps: float
    kmh_per_radps: float


_told_at = access(Told)
_plant_at = access(State)


@compiled
def report(told: Any, plant: Any, speeds: Any, motion: Any, line: Any, now_ns: int, port: int) -> int:
    """Wheel speeds and motion into the bus's queue. Returns how many of the two were queued."""
    own, car = _told_at(told), _plant_at(plant)
    wheels, body = layout_at(speeds), layout_at(motion)
    front = abs(car.front_unit.wheel_speed_radps) * own.kmh_per_radps
    rear = abs(car.rear_unit.wheel_speed_radps) * own.kmh_per_radps
    wheels.values[0] = own.valid
    wheels.values[1], wheels.values[2] = front, front
    wheels.values[3], wheels.values[4] = rear, rear
    body.values[0] = own.abs_active
    body.values[1] = own.esc_active
    body.values[2] = own.limits_torque
    body.values[3] = car.accel_mps2
    body.values[4], body.values[5] = own.accel_y_mps2, own.yaw_rate_dps
    body.values[6] = own.torque_max_nm
    if not queue_next(wheels, line, now_ns, port, True):
        return 0
    return 2 if queue_next(body, line, now_ns, port, True) else 1


def _told(name: str) -> Any:
    """A property of the ESC that stands in its `Told`."""

    def get(esc: Esc) -> Any:
        return getattr(esc.told, name)

    def put(esc: Esc, value: Any) -> None:
        setattr(esc.told, name, value)

    return property(get, put)


class Esc(Node):
    """ESC.

    For the bench: `valid` (bit 0 front left, 1 front right, 2 rear left, 3 rear right), `esc_active`, `torque_max_nm`
    (sum of both motors; None: no limit, TorqueMaxValid 0), `accel_y_mps2`, `yaw_rate_dps`, `abs_active` (read),
    `abs_forced` (True or False overrides the ABS's own state, None leaves it).
    Both wheels of an axle turn alike (the plant has two axles). Wheel speeds are magnitudes, as the sensors are.
    ABS, when given the pedals: with the brake on and an axle slipping more than 18 % it takes pressure away in steps of
    40 % each 10 ms, and gives it back in steps of 5 % under 8 %.
    """

    CHANNELS: ClassVar[dict[str, str]] = {
        "front_left_kmh": "km/h",
        "front_right_kmh": "km/h",
        "rear_left_kmh": "km/h",
        "rear_right_kmh": "km/h",
        "accel_x_mps2": "m/s2",
        "accel_y_mps2": "m/s2",
        "yaw_rate_dps": "deg/s",
    }

    def __init__(
        self,
        kernel: Kernel,
        bus: Bus,
        plant: Plant,
        *,
        pedals: Pedals | None = None,
        seed: int = 0,
        present: bool = True,
        database: Database | None = None,
    ) -> None:
        super().__init__(kernel, bus, "ESC", seed=seed, present=present, database=database)
        self.plant = plant
        self.pedals = pedals
        self.abs_forced: bool | None = None
        self._kmh_per_radps = plant.parameters.tyre.rolling_radius_m * 3.6
        self.told = Told(valid=ALL_VALID, kmh_per_radps=self._kmh_per_radps)
        self._memories = memory(self.told), memory(plant)
        self._pair_ids = [self.message(name).frame_id for name in ("EscWheelSpeeds", "EscMotion")]

    valid: int = _told("valid")
    esc_active: bool = _told("esc_active")
    accel_y_mps2: float = _told("accel_y_mps2")
    yaw_rate_dps: float = _told("yaw_rate_dps")
    abs_active: bool = _told("abs_active")

    @property
    def torque_max_nm(self) -> float | None:
        """Highest torque that it allows, sum of both motors."""
        return self.told.torque_max_nm if self.told.limits_torque else None

    @torque_max_nm.setter
    def torque_max_nm(self, limit_nm: float | None) -> None:
        self.told.limits_torque, self.told.torque_max_nm = limit_nm is not None, limit_nm or 0.0

    def stopped(self) -> None:
        self._release_abs()

    def cyclic(self) -> None:
        self.plant.advance(self.kernel.now_ns)
        pedals = self.pedals
        if pedals is None:
            return
        if pedals.brake_bar > 0.0 and abs(self.plant.speed_mps) > _ABS_MIN_MPS:
            self._abs(pedals)
        elif self.abs_active:
            self._release_abs()

    def _abs(self, pedals: Pedals) -> None:
        plant = self.plant
        speed_kmh = abs(plant.speed_mps) * 3.6
        slowest_kmh = min(abs(plant.front.wheel_speed_radps), abs(plant.rear.wheel_speed_radps)) * self._kmh_per_radps
        slip = 1.0 - slowest_kmh / speed_kmh
        if slip > _ABS_ON_SLIP:
            self.abs_active = True
            pedals.abs_share *= _ABS_RELEASE
        elif self.abs_active and slip < _ABS_OFF_SLIP:
            pedals.abs_share = share = min(1.0, pedals.abs_share + _ABS_REFILL)
            self.abs_active = share < 1.0

    def _release_abs(self) -> None:
        self.abs_active = False
        if self.pedals is not None:
            self.pedals.abs_share = 1.0

    def send_cycle(self, messages: list[Outgoing], now_ns: int) -> None:
        """Both messages in one compiled step, if no fault stands between the plant and the bus."""
        port = self.port
        faulty = self.channels.active or self.abs_forced is not None or port.tx_hooks or port.bus.disturbed
        if faulty or [message.can_id for message in messages] != self._pair_ids:
            super().send_cycle(messages, now_ns)
            return
        self.cyclic()
        wheels, body = messages
        queued = report(*self._memories, wheels.memory, body.memory, port.bus.memory, now_ns, port.number)
        if queued < 2:
            messages[queued].send_packed(port)
        if queued == 0:
            body.send(port, now_ns)

    def providers(self) -> dict[str, Provider]:
        return {"EscWheelSpeeds": self._wheel_speeds, "EscMotion": self._motion}

    def _wheel_speeds(self) -> Values:
        front = abs(self.plant.front.wheel_speed_radps) * self._kmh_per_radps
        rear = abs(self.plant.rear.wheel_speed_radps) * self._kmh_per_radps
        channels = self.channels
        if not channels.active:
            return self.valid, front, front, rear, rear
        return (
            self.valid,
            channels("front_left_kmh", front),
            channels("front_right_kmh", front),
            channels("rear_left_kmh", rear),
            channels("rear_right_kmh", rear),
        )

    def _motion(self) -> Values:
        accel_x, accel_y, yaw = self.plant.accel_mps2, self.accel_y_mps2, self.yaw_rate_dps
        channels = self.channels
        if channels.active:
            accel_x = channels("accel_x_mps2", accel_x)
            accel_y, yaw = channels("accel_y_mps2", accel_y), channels("yaw_rate_dps", yaw)
        return (
            self.abs_active if self.abs_forced is None else self.abs_forced,
            self.esc_active,
            self.told.limits_torque,
            accel_x,
            accel_y,
            yaw,
            self.told.torque_max_nm,
        )
