"""Acceptance filters for a CAN controller with few of them and two receive FIFOs (bxCAN)."""

from collections.abc import Sequence
from typing import NamedTuple

from twinaxle.dbc.model import Message

BANKS = 14  # filters that bxCAN has for one controller
FLAG_EXT_ID = 2  # machine.CAN.FLAG_EXT_ID
_STANDARD_MASK = 0x7FF
_EXTENDED_MASK = 0x1FFFFFFF


class Filter(NamedTuple):
    """What `machine.CAN.set_filters` takes: a frame passes if it has `can_id` in the bits of `mask`."""

    can_id: int
    mask: int
    flags: int

    def passes(self, can_id: int, is_extended: bool) -> bool:
        """True if a data frame with this identifier gets through."""
        return (can_id ^ self.can_id) & self.mask == 0 and is_extended == bool(self.flags & FLAG_EXT_ID)


def make_filters(messages: Sequence[Message], banks: int = BANKS) -> tuple[Filter, ...]:
    """Filters for exactly these messages, one each while there are enough, in an order that loads both FIFOs alike.

    The controller puts filters into its two FIFOs by turns, so even places go to FIFO 0 and odd ones to FIFO 1. With
    more messages than filters some are merged: first where the merged one passes nothing else, then, if it must be,
    where it passes the fewest other identifiers (the codec answers -1 for those).
    """
    groups = [[message] for message in sorted(messages, key=lambda message: message.key)]
    filters = [_single(group[0]) for group in groups]
    while len(filters) > banks:
        pairs = [(a, b) for a in range(len(filters)) for b in range(a) if filters[a].flags == filters[b].flags]
        if not pairs:
            break
        a, b = min(pairs, key=lambda pair: _extra(_merged(filters[pair[0]], filters[pair[1]]), messages))
        filters[b], groups[b] = _merged(filters[a], filters[b]), groups[a] + groups[b]
        del filters[a], groups[a]
    return _balanced(filters, [sum(_rate(message) for message in group) for group in groups])


def _single(message: Message) -> Filter:
    if message.is_extended:
        return Filter(message.frame_id, _EXTENDED_MASK, FLAG_EXT_ID)
    return Filter(message.frame_id, _STANDARD_MASK, 0)


def _merged(a: Filter, b: Filter) -> Filter:
    """The narrowest filter that passes what either passes."""
    mask = a.mask & b.mask & ~(a.can_id ^ b.can_id)
    return Filter(a.can_id & mask, mask, a.flags)


def _extra(merged: Filter, messages: Sequence[Message]) -> tuple[int, int]:
    """How many unwanted identifiers a filter passes, and how many in all."""
    width = 29 if merged.flags else 11
    size: int = 1 << (width - merged.mask.bit_count())
    wanted = sum(merged.passes(message.frame_id, message.is_extended) for message in messages)
    return size - wanted, size


def _rate(message: Message) -> float:
    """Frames a second; a message on events counts little."""
    return 1000 / message.cycle_ms if message.cycle_ms else 0.1


def _balanced(filters: Sequence[Filter], rates: Sequence[float]) -> tuple[Filter, ...]:
    """The filters with the busiest spread over the two FIFOs, taken by turns."""
    sides: tuple[list[Filter], list[Filter]] = ([], [])
    room = ((len(filters) + 1) // 2, len(filters) // 2)
    load = [0.0, 0.0]
    for at in sorted(range(len(filters)), key=lambda at: (-rates[at], at)):
        side = int(load[1] < load[0]) if len(sides[0]) < room[0] and len(sides[1]) < room[1] else 0
        if len(sides[0]) >= room[0]:
            side = 1
        sides[side].append(filters[at])
        load[side] += rates[at]
    return tuple(sides[at % 2][at // 2] for at in range(len(filters)))
