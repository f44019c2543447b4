"""The virtual car: every part of the bench below the test, wired together.

    kernel (time) - bus - nodes (INV_F, INV_R, BMS, PEDALS, ESC) - plant
                      \\- board (the firmware, in a real MicroPython)

A node that is not virtual leaves its place on the bus to somebody else: a real unit or another program.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from hil.board import VirtualBoard
from hil.bus import Bus
from hil.faults import Faults
from hil.kernel import Kernel
from hil.nodes import Bms, Driver, Esc, Inverter, Pedals
from hil.plant import Plant, load_parameters
from hil.wiring import enable_pins
from twinaxle.errors import UserError

VIRTUAL_NODES = ("INV_F", "INV_R", "BMS", "PEDALS", "ESC")

_WARM_UP_NS = 100_000_000
"""Every node has sent and heard every message."""


class VirtualCar:
    """Everything that drives: made without power, `power_on()` starts it.

    Args:
        flash: folder that is the board's flash, with the firmware in it; None: there is no virtual board, something
            else is the VCU. Its enable lines are not seen here, so the virtual inverters take theirs as driven.
        seed: every phase, crystal and noise of the run is drawn from it.
        nodes: the virtual nodes, of `VIRTUAL_NODES`; the others are absent.
        clock_ppm: crystal error by node name, where the seed's own (up to 50 ppm) shall not be used.
        tick_cost_us: computing time of the firmware's tick on the board; None takes the board's own figure.
        variant: battery variant of the plant's parameters.

    Raises:
        UserError: an unknown node; no MicroPython.
    """

    def __init__(
        self,
        flash: Path | None,
        *,
        seed: int,
        nodes: Collection[str] = VIRTUAL_NODES,
        clock_ppm: Mapping[str, float] | None = None,
        tick_cost_us: int | None = None,
        variant: str | None = None,
    ) -> None:
        unknown = sorted(set(nodes) - set(VIRTUAL_NODES))
        if unknown:
            raise UserError(f"there is no virtual node {unknown[0]!r}; there are {', '.join(VIRTUAL_NODES)}")
        self.kernel = Kernel()
        self.bus = Bus(self.kernel)
        self.plant = Plant(load_parameters(variant))
        self.front = Inverter(self.kernel, self.bus, self.plant, "front", seed=seed, present="INV_F" in nodes)
        self.rear = Inverter(self.kernel, self.bus, self.plant, "rear", seed=seed, present="INV_R" in nodes)
        self.bms = Bms(self.kernel, self.bus, self.plant, seed=seed, present="BMS" in nodes)
        self.bms.on_contactor += [self.front.contactor_moved, self.rear.contactor_moved]
        self.pedals = Pedals(self.kernel, self.bus, self.plant, seed=seed, present="PEDALS" in nodes)
        self.esc = Esc(self.kernel, self.bus, self.plant, pedals=self.pedals, seed=seed, present="ESC" in nodes)
        self.nodes = {node.name: node for node in (self.front, self.rear, self.bms, self.pedals, self.esc)}
        for name, ppm in (clock_ppm or {}).items():
            if name not in self.nodes:
                raise UserError(f"clock_ppm: there is no virtual node {name!r}; there are {', '.join(self.nodes)}")
            self.nodes[name].clock_ppm = ppm
        self.driver = Driver(self.kernel, self.pedals, self.plant)
        self.board = None if flash is None else self._make_board(flash, tick_cost_us)
        self.faults = Faults(self, seed=seed)

    def _make_board(self, flash: Path, tick_cost_us: int | None) -> VirtualBoard:
        board = VirtualBoard(self.kernel, self.bus.attach("VCU"), flash, tick_cost_us=tick_cost_us)
        pins = enable_pins()
        board.on_output(pins["front"], self.front.set_enable)
        board.on_output(pins["rear"], self.rear.set_enable)
        return board

    def power_on(self) -> None:
        """12 V on: every node and the board start."""
        for node in self.nodes.values():
            node.power_on()
        if self.board is not None:
            self.board.power_on()
        else:
            self.front.set_enable(True)
            self.rear.set_enable(True)

    def power_off(self) -> None:
        """12 V off; the board's process ends."""
        if self.board is not None:
            self.board.power_off()
        for node in self.nodes.values():
            node.power_off()


def warm_up() -> None:
    """Have the compiled code of bus, nodes and plant loaded, on first use made (20 s): a bench that is tied to the wall
    clock cannot wait for that later.
    """
    car = VirtualCar(None, seed=1)
    car.power_on()
    car.kernel.run_until(_WARM_UP_NS)
    car.power_off()
