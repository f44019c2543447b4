"""The brake and stability controller: wheel speeds, motion, a torque limit, and a simple ABS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hil.native import address, kept_in
from hil.nodes.base import Node, Provider, Values
from hil.nodes.esc_report import ABS_MIN_MPS, Told
from hil.nodes.rounds import ESC, Part
from hil.nodes.transmit import Outgoing

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.nodes.pedals import Pedals
    from hil.plant import Plant
    from twinaxle.dbc import Database

_ABS_ON_SLIP = 0.18  # assumed: a tyre's force peaks at about 10 % of slip
_ABS_OFF_SLIP = 0.08
_ABS_RELEASE = 0.6  # share of the pressure that is left after one step of 10 ms
_ABS_REFILL = 0.05  # share of the pressure that comes back in one step
WHEELS = ("front_left", "front_right", "rear_left", "rear_right")
ALL_VALID = 0b1111


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
        self._abs_forced: bool | None = None
        self._kmh_per_radps = plant.parameters.tyre.rolling_radius_m * 3.6
        self.told = Told(valid=ALL_VALID, kmh_per_radps=self._kmh_per_radps)
        self._pair_ids = [self.message(name).frame_id for name in ("EscWheelSpeeds", "EscMotion")]

    valid: int = kept_in("told", "valid")
    esc_active: bool = kept_in("told", "esc_active")
    accel_y_mps2: float = kept_in("told", "accel_y_mps2")
    yaw_rate_dps: float = kept_in("told", "yaw_rate_dps")
    abs_active: bool = kept_in("told", "abs_active")

    @property
    def torque_max_nm(self) -> float | None:
        """Highest torque that it allows, sum of both motors."""
        return self.told.torque_max_nm if self.told.limits_torque else None

    @torque_max_nm.setter
    def torque_max_nm(self, limit_nm: float | None) -> None:
        self.told.limits_torque, self.told.torque_max_nm = limit_nm is not None, limit_nm or 0.0

    @property
    def abs_forced(self) -> bool | None:
        return self._abs_forced

    @abs_forced.setter
    def abs_forced(self, active: bool | None) -> None:
        self.leave_rounds()
        self._abs_forced = active

    def stopped(self) -> None:
        self._release_abs()

    def cyclic(self) -> None:
        self.plant.advance(self.kernel.now_ns)
        pedals = self.pedals
        if pedals is None:
            return
        if pedals.brake_bar > 0.0 and abs(self.plant.speed_mps) > ABS_MIN_MPS:
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

    def part(self, messages: list[Outgoing]) -> Part | None:
        if self.channels.active or self._abs_forced is not None or self._pair_ids != [m.can_id for m in messages]:
            return None
        return Part(ESC, address(self.told), 0 if self.pedals is None else address(self.pedals.feet))

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
            self.abs_active if self._abs_forced is None else self._abs_forced,
            self.esc_active,
            self.told.limits_torque,
            accel_x,
            accel_y,
            yaw,
            self.told.torque_max_nm,
        )
