"""What the observer tells of the newest frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus import Bus, Frame
from hil.judging.observer import Observer
from hil.kernel import Kernel
from twinaxle.dbc import powertrain
from twinaxle.errors import UserError

SIGNALS = [(m.name, s.name) for m in powertrain().messages.values() if m.length == 8 for s in m.application_signals]


@given(st.sampled_from(SIGNALS), st.binary(min_size=8, max_size=8))
def test_a_reader_reads_what_decoding_the_whole_frame_gives(place: tuple[str, str], data: bytes) -> None:
    name, signal = place
    kernel = Kernel()
    bus = Bus(kernel)
    observer = Observer(bus, powertrain())
    newest = observer.newest(name)
    read = newest.reader(signal)
    assert read() == 0
    sender, _ = bus.attach("A"), bus.attach("B")
    for payload in (data[::-1], data):
        sender.send(Frame(powertrain().messages[name].frame_id, payload))
        kernel.run_until(kernel.now_ns + 1_000_000)
        assert read() == getattr(newest.values(), signal)
        assert observer.payload(name) == payload


def test_nothing_is_known_of_a_message_that_never_came() -> None:
    observer = Observer(Bus(Kernel()), powertrain())
    assert not observer.seen("VcuStatus")
    assert observer.time_ns("VcuStatus") < -(10**18)
    assert observer.label("VcuStatus", "State") == ""
    with pytest.raises(UserError, match="no frame of message 'VcuStatus'"):
        observer.latest("VcuStatus")
    with pytest.raises(UserError, match="'Nonsense' is not in the database"):
        observer.latest("Nonsense")


def test_a_fresh_reader_knows_when_nobody_speaks_any_more() -> None:
    kernel = Kernel()
    bus = Bus(kernel)
    message = powertrain().messages["InvFrontStatus"]
    read = Observer(bus, powertrain()).newest(message.name).fresh_reader("State", -1.0)
    assert read() == -1.0
    sender, _ = bus.attach("A"), bus.attach("B")
    sender.send(Frame(message.frame_id, b"\0\x30" + bytes(6)))
    kernel.run_until(message.rx_timeout_ms * 1_000_000)
    assert read() == 3.0
    kernel.run_until(kernel.now_ns + 1_000_000)
    assert read() == -1.0
