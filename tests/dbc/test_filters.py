"""Acceptance filters and phases of sending."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinaxle.dbc import Database, powertrain
from twinaxle.dbc.filters import BANKS, make_filters
from twinaxle.dbc.model import Message
from twinaxle.dbc.schedule import phases


def message(can_id: int, extended: bool = False, cycle_ms: int = 10) -> Message:
    """A message of which only the identifier and the cycle matter."""
    return Message(f"M{can_id}", can_id, extended, 8, "A", ("A",), ("B",), cycle_ms, 0, None, (), "")


@pytest.mark.parametrize(("banks", "count"), [(BANKS, 13), (BANKS // 2, 7)])
def test_exactly_the_received_identifiers_pass(banks: int, count: int) -> None:
    """With a bank for each, and merged so far that every second bank stays free for the other FIFO."""
    wanted = [one for one in powertrain().messages.values() if "VCU" in one.receivers]
    filters = make_filters(wanted, banks)
    assert len(filters) == count
    passing = {can_id for can_id in range(0x800) if any(one.passes(can_id, False) for one in filters)}
    assert passing == {one.frame_id for one in wanted}
    assert not any(one.passes(can_id, True) for one in filters for can_id in range(0x800))


def test_both_fifos_get_half_of_the_load() -> None:
    wanted = [one for one in powertrain().messages.values() if "VCU" in one.receivers]
    filters = make_filters(wanted)
    rates = []
    for fifo in (0, 1):
        ids = {one.can_id for one in filters[fifo::2]}
        rates.append(sum(1000 / one.cycle_ms for one in wanted if one.frame_id in ids and one.cycle_ms))
    assert abs(rates[0] - rates[1]) <= 100  # the seven messages each 10 ms cannot be halved better


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 0x7FF), st.booleans()), min_size=1, max_size=40, unique=True),
)
def test_no_wanted_frame_is_lost_however_many_there_are(ids: list[tuple[int, bool]]) -> None:
    wanted = [message(can_id, extended) for can_id, extended in ids]
    filters = make_filters(wanted)
    assert len(filters) == min(len(wanted), BANKS)
    assert all(any(one.passes(can_id, extended) for one in filters) for can_id, extended in ids)
    if len(wanted) <= BANKS:
        assert sum(one.passes(can_id, e) for one in filters for can_id in range(0x800) for e in (False, True)) == len(
            ids
        )


def test_merging_prefers_what_lets_nothing_else_through() -> None:
    wanted = [message(can_id) for can_id in range(0x100, 0x120)]
    filters = make_filters(wanted)
    passing = {can_id for can_id in range(0x800) if any(one.passes(can_id, False) for one in filters)}
    assert passing == set(range(0x100, 0x120))


@given(st.lists(st.sampled_from([0, 5, 10, 20, 25, 50, 100, 1000]), max_size=20))
def test_phases_lie_in_the_cycle(cycles: list[int]) -> None:
    found = phases(cycles)
    assert all(0 <= phase < max(cycle, 1) for phase, cycle in zip(found, cycles, strict=True))


def test_phases_spread_the_load() -> None:
    cycles = [20, 20, 100, 100, 100, 100, 100]
    load = [0] * 20
    for phase, cycle in zip(phases(cycles, 5), cycles, strict=True):
        for at in range(phase // 5, 20, cycle // 5):
            load[at] += 1
    assert max(load) == 1


def test_cycles_without_common_ground(load_text: Callable[[str], Database]) -> None:
    assert len(phases([7, 11, 13, 17, 1000, 65521])) == 6
