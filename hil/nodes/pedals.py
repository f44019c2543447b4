"""The driver controls: two accelerator sensors, brake, gear selector, buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from hil.native import address, kept_in
from hil.nodes.base import Node, Provider, Values
from hil.nodes.messages import Choices
from hil.nodes.pedals_report import APPS1_MV, APPS1_RANGE_MV, APPS2_MV, APPS2_RANGE_MV, BRAKE_SWITCH_BAR, Feet
from hil.nodes.rounds import PEDALS, Part
from hil.nodes.transmit import Outgoing

if TYPE_CHECKING:
    from hil.bus import Bus
    from hil.kernel import Kernel
    from hil.plant import Plant
    from twinaxle.dbc import Database

Gear = Literal["P", "R", "N", "D", "Invalid"]
DriveMode = Literal["Normal", "Eco", "Sport", "Snow"]

PARK_MAX_MPS = 1.0  # a pawl does not engage in a rolling car (assumed)


class Pedals(Node):
    """PEDALS.

    What the driver does is set here, and acts on the car at once: `pedal_percent` (0..100), `brake_bar` (0..200),
    `gear`, `start_button`, `one_pedal`, `drive_mode`. The brake is hydraulic: its pressure reaches the plant's brakes
    with or without this node's power, and also if the node is absent. Gear P locks the car below 1 m/s.
    `vcu_state` is what the dashboard shows: the label of VcuStatus.State, "" before the first frame.
    """

    CHANNELS: ClassVar[dict[str, str]] = {
        "apps1_mv": "mV",
        "apps2_mv": "mV",
        "brake_pressure_bar": "bar",
        "brake_switch": "0 or 1",
        "brake_actuator_bar": "bar",  # the actuator: what reaches the brakes
    }

    def __init__(
        self,
        kernel: Kernel,
        bus: Bus,
        plant: Plant,
        *,
        seed: int = 0,
        present: bool = True,
        database: Database | None = None,
    ) -> None:
        super().__init__(kernel, bus, "PEDALS", seed=seed, present=present, database=database)
        self.plant = plant
        message = self.message("PedalsDriver")
        self._gear_raw = Choices(message, "Gear").raw
        self._mode_raw = Choices(message, "DriveMode").raw
        self._vcu_states = {raw: label for label, raw in Choices(self.message("VcuStatus"), "State").raw.items()}
        self._vcu_unpack = self.codec_of("VcuStatus").unpack
        self._vcu_length = self.message("VcuStatus").length
        self._vcu_status: int | None = None
        self.feet = Feet()
        self._message_id = message.frame_id
        self.drive_mode = "Normal"
        self._gear: Gear = "P"
        self._abs_share = 1.0
        self.gear = "P"
        self.listen_words("VcuStatus", self._on_vcu_status)

    pedal_percent: float = kept_in("feet", "pedal_percent")
    start_button: bool = kept_in("feet", "start_button")
    one_pedal: bool = kept_in("feet", "one_pedal")

    @property
    def drive_mode(self) -> DriveMode:
        return self._drive_mode

    @drive_mode.setter
    def drive_mode(self, mode: DriveMode) -> None:
        self.feet.mode_raw = self._mode_raw[mode]
        self._drive_mode = mode

    @property
    def brake_bar(self) -> float:
        """Pressure that the driver's foot makes, bar."""
        return self.feet.brake_bar

    @brake_bar.setter
    def brake_bar(self, pressure_bar: float) -> None:
        if pressure_bar != self.feet.brake_bar:
            self.feet.brake_bar = pressure_bar
            self._press()

    @property
    def abs_share(self) -> float:
        """Share of the pressure (0..1) that the ABS lets through to the brakes."""
        return self._abs_share

    @abs_share.setter
    def abs_share(self, share: float) -> None:
        if share != self._abs_share:
            self._abs_share = share
            self._press()

    @property
    def gear(self) -> Gear:
        return self._gear

    @gear.setter
    def gear(self, gear: Gear) -> None:
        self._gear = gear
        self.feet.gear_raw, self.feet.parks = self._gear_raw[gear], gear == "P"
        self.plant.advance(self.kernel.now_ns)
        self.plant.parking_lock = gear == "P" and abs(self.plant.speed_mps) < PARK_MAX_MPS

    @property
    def vcu_state(self) -> str:
        if self._vcu_status is None:
            return ""
        data = self._vcu_status.to_bytes(8, "little", signed=True)[: self._vcu_length]
        return self._vcu_states.get(int(self._vcu_unpack(data).State), "")

    def _on_vcu_status(self, length: int, data: int) -> None:
        if self.powered and length == self._vcu_length:
            self._vcu_status = data

    def _press(self) -> None:
        self.plant.advance(self.kernel.now_ns)
        self.plant.brake_pressure_bar = self.channels("brake_actuator_bar", self.feet.brake_bar * self._abs_share)

    def channels_changed(self) -> None:
        self._press()

    def cyclic(self) -> None:
        if self._gear == "P" and not self.plant.parking_lock:
            self.gear = "P"

    def part(self, messages: list[Outgoing]) -> Part | None:
        if self.channels.active or [message.can_id for message in messages] != [self._message_id]:
            return None
        return Part(PEDALS, address(self.feet))

    def providers(self) -> dict[str, Provider]:
        return {"PedalsDriver": self._pedals_driver}

    def _pedals_driver(self) -> Values:
        travel = self.pedal_percent * 0.01
        apps1, apps2 = APPS1_MV[0] + APPS1_RANGE_MV * travel, APPS2_MV[0] + APPS2_RANGE_MV * travel
        pressure = self.feet.brake_bar
        switch: float = pressure > BRAKE_SWITCH_BAR
        channels = self.channels
        if channels.active:
            apps1, apps2 = channels("apps1_mv", apps1), channels("apps2_mv", apps2)
            pressure, switch = channels("brake_pressure_bar", pressure), channels("brake_switch", switch)
        return (
            self._gear_raw[self._gear],
            self.start_button,
            apps1,
            apps2,
            pressure,
            switch,
            self.one_pedal,
            self._mode_raw[self.drive_mode],
        )
