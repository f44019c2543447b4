"""Verdicts on arrays against the receiver that takes one frame after the other."""

from dataclasses import replace

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.logs.conftest import frames
from twinaxle.dbc import powertrain
from twinaxle.e2e import Checker, Protector, Verdict
from twinaxle.logs.e2e import verdicts
from twinaxle.logs.read import table_of


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.one_of(st.sampled_from([0, 1, 1, 1, 2, 3, 7]), st.just(-1), st.just(-2), st.just(-3))),
    max_delta=st.integers(1, 5),
)
def test_as_the_receiver_that_takes_one_by_one(steps: list[int], max_delta: int) -> None:
    message = powertrain().messages["EscMotion"]
    assert message.e2e is not None
    message = replace(message, e2e=replace(message.e2e, data_id=0xB1, max_delta=max_delta))
    checker = Checker(0xB1, max_delta)
    counter = 0
    payloads = []
    for step in steps:
        counter = (counter + max(step, 0)) % 15
        payload = Protector(0xB1, 15 if step == -2 else counter).protect(bytes(8))
        if step == -1:
            payload = bytes([payload[0] ^ 1]) + payload[1:]
        payloads.append(payload[: 7 if step == -3 else 8])
    table = table_of([can.Message(data=payload) for payload in payloads])
    assert verdicts(message, table).tolist() == [checker.check(payload) for payload in payloads]


def test_a_message_without_protection() -> None:
    with pytest.raises(ValueError, match="VcuTiming has no E2E"):
        verdicts(powertrain().messages["VcuTiming"], table_of(frames(3)))


def test_every_verdict_can_come() -> None:
    message = powertrain().messages["EscMotion"]
    counters = [3, 4, 4, 6, 12, 13, 14]
    data = [Protector(0xB1, counter).protect(bytes(8)) for counter in counters]
    found = verdicts(message, table_of([can.Message(data=payload) for payload in data]))
    assert found.tolist() == [
        Verdict.INITIAL, Verdict.OK, Verdict.REPEATED, Verdict.OK_SOME_LOST, Verdict.WRONG_SEQUENCE, Verdict.SYNC,
        Verdict.OK,
    ]  # fmt: skip
