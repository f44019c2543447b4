"""What the bench records of a run: plant truth and what the bus says, one row a period."""

from __future__ import annotations

from collections.abc import Callable

from hil.car import VirtualCar
from hil.judging.observer import Observer
from hil.recording.recorder import Channel

NAN = float("nan")


def channels(observer: Observer) -> tuple[Channel, ...]:
    """The recorded quantities, in the order of `rows`."""
    return (
        Channel("pedal_percent", "%", "pedal"),
        Channel("brake_bar", "bar", "brake"),
        Channel("torque_demand_nm", "Nm", "demand"),
        Channel("torque_granted_nm", "Nm", "granted"),
        Channel("front_torque_request_nm", "Nm", "front request"),
        Channel("rear_torque_request_nm", "Nm", "rear request"),
        Channel("front_torque_nm", "Nm", "front torque"),
        Channel("rear_torque_nm", "Nm", "rear torque"),
        Channel("speed_kmh", "km/h", "car"),
        Channel("front_wheel_kmh", "km/h", "front wheels"),
        Channel("rear_wheel_kmh", "km/h", "rear wheels"),
        Channel("accel_mps2", "m/s2", "acceleration"),
        Channel("distance_m", "m", "distance"),
        Channel("battery_power_kw", "kW", "battery"),
        Channel("discharge_limit_kw", "kW", "discharge limit"),
        Channel("charge_limit_kw", "kW", "charge limit"),
        Channel("pack_voltage_v", "V", "pack"),
        Channel("link_voltage_v", "V", "link"),
        Channel("soc_percent", "%", "SoC"),
        Channel("vcu_state", "", "VCU", observer.choices("VcuStatus", "State")),
        Channel("limit_reason", "", "limit", observer.choices("VcuStatus", "LimitReason")),
        Channel("front_state", "", "front inverter", observer.choices("InvFrontStatus", "State")),
        Channel("rear_state", "", "rear inverter", observer.choices("InvRearStatus", "State")),
        Channel("contactors", "", "contactors", observer.choices("BmsPack", "ContactorState")),
    )


def rows(car: VirtualCar, observer: Observer) -> Callable[[], tuple[float, ...]]:
    """A function that gives the values of all channels at this moment; NaN where the bus says nothing (any more)."""
    plant, pedals = car.plant, car.pedals
    front, rear, battery = plant.front, plant.rear, plant.battery
    kmh_per_radps = plant.parameters.tyre.rolling_radius_m * 3.6

    def told(message: str, signal: str) -> Callable[[], float]:
        return observer.newest(message).fresh_reader(signal, NAN)

    demand, granted = told("VcuStatus", "TorqueDemand"), told("VcuStatus", "TorqueGranted")
    front_request = told("VcuInvFrontCommand", "TorqueRequest")
    rear_request = told("VcuInvRearCommand", "TorqueRequest")
    discharge, charge = told("BmsLimits", "DischargePowerMax"), told("BmsLimits", "ChargePowerMax")
    vcu_state, reason = told("VcuStatus", "State"), told("VcuStatus", "LimitReason")
    front_state, rear_state = told("InvFrontStatus", "State"), told("InvRearStatus", "State")
    contactors = told("BmsPack", "ContactorState")

    def row() -> tuple[float, ...]:
        pack_voltage_v = battery.pack_voltage_v
        return (
            pedals.pedal_percent,
            pedals.brake_bar,
            demand(),
            granted(),
            front_request(),
            rear_request(),
            front.torque_nm,
            rear.torque_nm,
            plant.speed_mps * 3.6,
            front.wheel_speed_radps * kmh_per_radps,
            rear.wheel_speed_radps * kmh_per_radps,
            plant.accel_mps2,
            plant.distance_m,
            pack_voltage_v * battery.pack_current_a * 1e-3,
            discharge() * 1e-3,
            charge() * -1e-3,
            pack_voltage_v,
            battery.link_voltage_v,
            battery.soc * 100.0,
            vcu_state(),
            reason(),
            front_state(),
            rear_state(),
            contactors(),
        )

    return row
