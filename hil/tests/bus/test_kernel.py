"""Virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.kernel import Kernel


@given(st.lists(st.integers(0, 50), max_size=60))
def test_events_run_in_the_order_of_time_and_equal_times_in_the_order_given(times: list[int]) -> None:
    kernel = Kernel()
    ran: list[tuple[int, int]] = []
    for index, time_ns in enumerate(times):
        kernel.at(time_ns, lambda index=index: ran.append((kernel.now_ns, index)))  # type: ignore[misc]
    kernel.run_until(50)
    assert ran == sorted((time_ns, index) for index, time_ns in enumerate(times))


def test_time_stands_at_the_event_while_it_runs_and_at_the_end_afterwards() -> None:
    kernel = Kernel()
    seen: list[int] = []
    kernel.at(7, lambda: seen.append(kernel.now_ns))
    kernel.run_until(10)
    assert (seen, kernel.now_ns) == ([7], 10)


def test_an_event_at_the_very_end_runs_and_one_after_it_waits() -> None:
    kernel = Kernel()
    ran: list[str] = []
    kernel.at(10, lambda: ran.append("end"))
    kernel.at(11, lambda: ran.append("after"))
    kernel.run_until(10)
    assert ran == ["end"]
    assert kernel.next_ns() == 11


def test_what_an_event_adds_for_the_same_time_runs_after_what_was_there() -> None:
    kernel = Kernel()
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        kernel.after(0, lambda: ran.append("added"))

    kernel.at(5, first)
    kernel.at(5, lambda: ran.append("second"))
    kernel.run_until(5)
    assert ran == ["first", "second", "added"]


def test_the_past_is_refused() -> None:
    kernel = Kernel()
    kernel.run_until(100)
    with pytest.raises(ValueError, match="99 ns lies before the present, 100 ns"):
        kernel.at(99, lambda: None)
    with pytest.raises(ValueError, match="cannot run back"):
        kernel.run_until(99)


def test_an_exception_leaves_the_rest_of_the_queue_in_place() -> None:
    kernel = Kernel()
    ran: list[str] = []

    def fail() -> None:
        raise RuntimeError("broken")

    kernel.at(5, fail)
    kernel.at(6, lambda: ran.append("later"))
    with pytest.raises(RuntimeError):
        kernel.run_until(10)
    assert kernel.now_ns == 5
    kernel.run_until(10)
    assert ran == ["later"]
