"""The mechanical side of units that are not virtual.

A unit that another program or a real device plays is known by its messages alone, but the virtual car is moved by
what such a unit does: the driver's foot presses the brake, the selector releases the pawl, the battery closes its
contactors, the inverter makes torque. Good frames (E2E) of absent nodes are taken for what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.bus import Frame
from hil.car import VirtualCar
from hil.nodes import Bms, Esc, Inverter, Node, Pedals
from hil.nodes.messages import Choices

Apply = Callable[[Any], None]


def follow_foreign_units(car: VirtualCar) -> None:
    """Let the plant follow the messages of every node that is not virtual."""
    actions: dict[int, Callable[[Frame], None]] = {}
    for node in car.nodes.values():
        if node.present:
            continue
        for name, apply in _followers(car, node).items():
            actions[node.message(name).frame_id] = _good_frames(node, name, apply)

    def on_frame(_time_ns: int, frame: Frame, _sender: str) -> None:
        action = actions.get(frame.can_id)
        if action is not None and not frame.is_extended and not frame.is_remote:
            action(frame)

    if actions:
        car.bus.tap(on_frame)


def _good_frames(node: Node, name: str, apply: Apply) -> Callable[[Frame], None]:
    receiver = node.receiver(name)

    def action(frame: Frame) -> None:
        values = receiver.good(frame)
        if values is not None:
            apply(values)

    return action


def _followers(car: VirtualCar, node: Node) -> dict[str, Apply]:
    """Message name -> what its values do to the plant."""
    match node:
        case Pedals():
            return {"PedalsDriver": _pedals(node)}
        case Bms():
            return {"BmsPack": _contactors(car, node)}
        case Inverter():
            return {f"Inv{'Front' if node is car.front else 'Rear'}Status": _torque(car, node)}
        case Esc():
            return {}
    raise AssertionError(node.name)


def _pedals(pedals: Pedals) -> Apply:
    gears = {raw: label for label, raw in Choices(pedals.message("PedalsDriver"), "Gear").raw.items()}

    def apply(values: Any) -> None:
        pedals.brake_bar = values.BrakePressure
        gear: Any = gears.get(values.Gear, "Invalid")
        if gear != pedals.gear:
            pedals.gear = gear

    return apply


def _contactors(car: VirtualCar, bms: Bms) -> Apply:
    states = Choices(bms.message("BmsPack"), "ContactorState")
    precharge, closed = states["Precharge"], [states["Closed"], states["Opening"], states["Welded"]]

    def apply(values: Any) -> None:
        plant = car.plant
        plant.advance(car.kernel.now_ns)
        plant.precharge_closed = values.ContactorState == precharge
        contact = values.ContactorState in closed
        if contact != plant.main_closed:
            plant.main_closed = contact
            for action in bms.on_contactor:
                action()

    return apply


def _torque(car: VirtualCar, inverter: Inverter) -> Apply:
    axle = inverter.axle

    def apply(values: Any) -> None:
        car.plant.advance(car.kernel.now_ns)
        axle.target_torque_nm = values.TorqueActual if values.GatesOn else 0.0
        axle.gates_on = bool(values.GatesOn)
        axle.cut = not values.GatesOn

    return apply
