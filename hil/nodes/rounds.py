"""Nodes that send and take commands in one compiled step with the undisturbed bus (see `hil.native`).

A node gives a group of messages away by a `Part` as long as no fault stands between it and the bus. `run` then takes
bus and nodes from one moment to the next, in the order of their times, and comes back where Python has to act. As soon
as the bus is disturbed all groups are back on the kernel's queue, from where they enter again when it is quiet.
"""

from __future__ import annotations

from ctypes import Structure, c_int64
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from hil.bus import calm
from hil.bus.calm import Calm, Words
from hil.native import access, compiled, memory, structure
from hil.nodes import esc_report, inverter_control, pedals_report
from hil.plant import dynamics

if TYPE_CHECKING:
    from hil.bus.port import Port, Wire
    from hil.kernel import Kernel
    from hil.nodes.transmit import Outgoing
    from hil.plant import Plant

SLOTS = 8
NOTHING = -1

# What a slot does
INVERTER = 0
ESC = 1
PEDALS = 2

# What `run` returns beside the numbers of `hil.bus.calm`; `who` is the slot
FIRE = 16  # its messages are to be sent by Python
PARTLY = 17  # `outcome` of its messages are queued, the next one is packed, but not taken by the bus
OBEYED = 18  # it has taken a command, with `outcome` as the result
HURRY = 19  # it has sent, and its control is in a hurry


@structure
class Table(Structure):
    """The groups of messages, in columns."""

    due_ns: Annotated[Words, c_int64 * SLOTS]
    period_ns: Annotated[Words, c_int64 * SLOTS]
    kind: Annotated[Words, c_int64 * SLOTS]
    own: Annotated[Words, c_int64 * SLOTS]
    """Address of the node's own structure."""
    aside: Annotated[Words, c_int64 * SLOTS]
    """Address of another one that it looks at."""
    first: Annotated[Words, c_int64 * SLOTS]
    second: Annotated[Words, c_int64 * SLOTS]
    """Addresses of the layouts of its messages."""
    port: Annotated[Words, c_int64 * SLOTS]
    hears: Annotated[Words, c_int64 * SLOTS]
    """Id of the command that it takes, or `NOTHING`."""
    next: int
    """The slot whose cycle is due next."""
    who: int
    now_ns: int
    outcome: int


_table_at = access(Table)


@compiled
def _choose(table: Table, line: Calm) -> None:
    """Find the cycle that is due next."""
    table.next = 0
    for slot in range(1, SLOTS):
        if table.due_ns[slot] < table.due_ns[table.next]:
            table.next = slot
    line.cycle_ns = table.due_ns[table.next]
    line.next_ns = min(line.end_ns, line.cycle_ns)


@compiled
def choose(table: Any, line: Any) -> None:
    """`_choose` by itself."""
    _choose(_table_at(table), calm.at(line))


@compiled
def _queue(table: Table, slot: int, line: Any, plant: Any) -> int:
    """Work out and queue the slot's messages. Returns how many were queued, or a number below zero: ask Python."""
    now_ns, port, kind, own = table.now_ns, table.port[slot], table.kind[slot], table.own[slot]
    first, second = table.first[slot], table.second[slot]
    if kind == INVERTER:
        return inverter_control.report(own, plant, first, second, line, now_ns, port)
    if kind == ESC:
        return esc_report.report(own, plant, table.aside[slot], first, second, line, now_ns, port)
    return pedals_report.report(own, plant, first, line, now_ns, port)


@compiled
def _send(table: Table, slot: int, line: Any, plant: Any) -> int:
    """One cycle. Returns DONE or what is left for Python."""
    table.who, table.now_ns = slot, table.due_ns[slot]
    if not dynamics.advance(plant, table.now_ns):
        return FIRE
    queued = _queue(table, slot, line, plant)
    if queued < 0:
        return FIRE
    table.due_ns[slot] += table.period_ns[slot]
    _choose(table, calm.at(line))
    if queued < (1 if table.second[slot] == 0 else 2):
        table.outcome = queued
        return PARTLY
    return HURRY if table.kind[slot] == INVERTER and inverter_control.hurries(table.own[slot]) else calm.DONE


@compiled
def _take(table: Table, line: Calm, plant: Any) -> int:
    """A frame has come that only listeners wait for. Returns DONE if it was a command and is obeyed."""
    for slot in range(SLOTS):
        if table.hears[slot] == line.ended_address and line.ears[line.ended_address] == 1 << table.port[slot]:
            if not dynamics.advance(plant, line.ended_ns):
                return calm.TELL
            own = table.own[slot]
            result = inverter_control.obey(own, plant, line.ended_ns, line.ended_length, line.ended_data)
            if result == inverter_control.BAD:
                return calm.DONE
            if result != inverter_control.RELEASED and not inverter_control.hurries(own):
                return calm.DONE
            table.who, table.now_ns, table.outcome = slot, line.ended_ns, result
            return OBEYED
    return calm.TELL


@compiled
def run(table_memory: Any, line_memory: Any, plant: Any, limit_ns: int) -> int:
    """Let frames end and nodes send up to and including `limit_ns`; at equal times the frame ends first.

    Returns DONE, or why it has returned before: see above and `calm.run`.
    """
    table, line = _table_at(table_memory), calm.at(line_memory)
    while line.next_ns <= limit_ns:
        if line.end_ns <= line.cycle_ns:
            result = calm.run(line_memory, min(limit_ns, line.cycle_ns))
            if result == calm.HEARD:
                result = _take(table, line, plant)
        else:
            result = _send(table, table.next, line_memory, plant)
        if result != calm.DONE:
            return result
    return calm.DONE


class Part(NamedTuple):
    """What a node's group of messages is in the table: `kind`, and the columns of the same names."""

    kind: int
    own: int
    aside: int = 0
    hears: int = NOTHING


class Sender(Protocol):
    """What a node does in Python."""

    port: Port

    def send_cycle(self, messages: list[Outgoing], now_ns: int) -> None:
        """Send a group's messages."""

    def sent(self) -> None:
        """A group's messages have been sent by compiled code."""

    def obeyed(self, result: int) -> None:
        """A command has been taken by compiled code."""


class Group(Protocol):
    """A node's messages of one cycle time."""

    messages: list[Outgoing]
    period_ns: int
    due_ns: int
    slot: int
    """In the table, `NOTHING` while it is on the kernel's queue."""

    @property
    def node(self) -> Sender:
        """Whose messages they are."""

    def requeue(self) -> None:
        """Go on from the kernel's queue."""


class Rounds:
    """The companion of a bus; `rounds_of` makes it."""

    def __init__(self, kernel: Kernel, bus: Wire, plant: Plant) -> None:
        self.plant = plant
        self._kernel, self._bus, self._line = kernel, bus, bus.calm
        self._table = Table()
        self._table.due_ns[:] = [calm.NEVER_NS] * SLOTS
        self._table.hears[:] = [NOTHING] * SLOTS
        self._memories = memory(self._table), bus.memory, memory(plant)
        self._groups: list[Group | None] = [None] * SLOTS

    # --- who takes part ---

    def enter(self, group: Group, part: Part) -> bool:
        """Let a group's next cycle (`due_ns`) be compiled. False: there is no room, or the bus is disturbed."""
        port = group.node.port
        if self._bus.disturbed or port.bus is not self._bus or port.tx_hooks or None not in self._groups:
            return False
        layouts = [message.address or 0 for message in group.messages]
        table, slot = self._table, self._groups.index(None)
        self._groups[slot] = group
        group.slot = slot
        table.kind[slot], table.own[slot], table.aside[slot] = part.kind, part.own, part.aside
        table.first[slot], table.second[slot] = layouts[0], layouts[1] if len(layouts) > 1 else 0
        table.port[slot], table.hears[slot] = port.number, part.hears
        table.period_ns[slot] = group.period_ns
        self._set_due(slot, group.due_ns)
        return True

    def leave(self, group: Group) -> None:
        """Put a group back on the kernel's queue; without effect on one that is there."""
        slot = group.slot
        if slot == NOTHING:
            return
        self._groups[slot] = None
        self._table.hears[slot] = NOTHING
        group.slot, group.due_ns = NOTHING, self._table.due_ns[slot]
        self._set_due(slot, calm.NEVER_NS)
        group.requeue()

    def dissolve(self) -> None:
        """Put all groups back."""
        for group in self._groups:
            if group is not None:
                self.leave(group)

    def _set_due(self, slot: int, due_ns: int) -> None:
        self._table.due_ns[slot] = due_ns
        choose(*self._memories[:2])

    # --- running ---

    def run(self, time_ns: int) -> int:
        """As `calm.run`."""
        result = run(*self._memories, time_ns)
        if result < FIRE:
            return result
        table = self._table
        group = self._groups[table.who]
        assert group is not None
        self._kernel.now_ns = now_ns = table.now_ns
        node = group.node
        if result == FIRE:
            self._set_due(table.who, now_ns + group.period_ns)
            node.send_cycle(group.messages, now_ns)
        elif result == PARTLY:
            first = table.outcome
            group.messages[first].send_packed(node.port)
            for message in group.messages[first + 1 :]:
                message.send(node.port, now_ns)
            node.sent()
        elif result == OBEYED:
            node.obeyed(table.outcome)
        else:
            node.sent()
        return calm.DONE


def rounds_of(kernel: Kernel, bus: Wire, plant: Plant) -> Rounds | None:
    """The rounds of a bus, made when they are asked for first. None: they belong to another plant."""
    if bus.companion is None:
        bus.companion = Rounds(kernel, bus, plant)
    rounds = bus.companion
    return rounds if isinstance(rounds, Rounds) and rounds.plant is plant else None
