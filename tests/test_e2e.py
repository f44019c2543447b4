"""The host's E2E Profile 1 against the package autosar-e2e and the rules of the receiver."""

import pytest
from e2e.p01 import e2e_p01_check, e2e_p01_protect
from hypothesis import given
from hypothesis import strategies as st

from twinaxle.e2e import Checker, Protector, Verdict, crc8_j1850, crc_seed

payloads = st.binary(min_size=2, max_size=8)
data_ids = st.integers(0, 0xFFFF)
GOOD = (Verdict.OK, Verdict.OK_SOME_LOST)


def frame(counter: int, data_id: int = 0x123, payload: bytes = bytes(8)) -> bytes:
    """A signed frame with any counter, 15 included."""
    data = bytearray(payload)
    data[1] = data[1] & 0xF0 | counter
    data[0] = crc8_j1850(data[1:], crc_seed(data_id))
    return bytes(data)


def verdicts(counters: list[int], max_delta: int = 2) -> list[Verdict]:
    checker = Checker(0x123, max_delta)
    return [checker.check(frame(counter)) for counter in counters]


def test_check_value() -> None:
    assert Protector(0x123).protect(bytes(8)) == b"\xcc" + bytes(7)


@given(payloads, data_ids, st.integers(0, 14))
def test_protect_is_that_of_the_reference(payload: bytes, data_id: int, counter: int) -> None:
    reference = bytearray(payload)
    reference[1] = reference[1] & 0xF0 | counter
    e2e_p01_protect(reference, data_id, increment_counter=False)
    assert Protector(data_id, counter).protect(payload) == reference


@given(payloads, data_ids)
def test_counter_runs_as_that_of_the_reference(payload: bytes, data_id: int) -> None:
    ours, reference = Protector(data_id), bytearray(payload)
    reference[1] = reference[1] & 0xF0 | 14  # the reference steps before it signs
    for _ in range(32):
        e2e_p01_protect(reference, data_id)
        assert ours.protect(payload) == reference


@given(payloads, data_ids)
def test_crc_verdict_is_that_of_the_reference(payload: bytes, data_id: int) -> None:
    verdict = Checker(data_id, length=len(payload)).check(payload)
    assert (verdict != Verdict.WRONG_CRC) == e2e_p01_check(bytearray(payload), data_id)


@given(st.binary(min_size=8, max_size=8), data_ids, st.integers(0, 63))
def test_every_single_bit_error_is_found(payload: bytes, data_id: int, bit: int) -> None:
    data = bytearray(Protector(data_id).protect(payload))
    data[bit // 8] ^= 1 << bit % 8
    assert Checker(data_id).check(bytes(data)) == Verdict.WRONG_CRC


O, L, R, W, I, S = (  # noqa: E741
    Verdict.OK, Verdict.OK_SOME_LOST, Verdict.REPEATED, Verdict.WRONG_SEQUENCE, Verdict.INITIAL, Verdict.SYNC,
)  # fmt: skip


@pytest.mark.req("SF-01")
@pytest.mark.parametrize(
    ("counters", "wanted"),
    [
        ([0, 1, 2, 3], [I, O, O, O]),
        ([13, 14, 0, 1], [I, O, O, O]),
        ([14, 1, 3], [I, L, L]),
        ([5, 5, 5, 6], [I, R, R, O]),
        ([5, 8, 9, 10], [I, W, S, O]),
        ([5, 4, 5, 6], [I, W, S, O]),
        ([5, 8, 8, 9, 9, 10], [I, W, R, S, R, O]),
        ([5, 8, 11, 12, 13], [I, W, W, S, O]),
        ([5, 8, 10, 12], [I, W, S, L]),
        ([5, 15, 6, 15, 7], [I, Verdict.INVALID_COUNTER, O, Verdict.INVALID_COUNTER, O]),
    ],
)
def test_receiver(counters: list[int], wanted: list[Verdict]) -> None:
    assert verdicts(counters) == wanted
    assert [verdict.good for verdict in wanted] == [verdict in GOOD for verdict in wanted]


def test_max_delta_is_the_largest_distance_accepted() -> None:
    assert verdicts([0, 4], max_delta=4) == [I, L]
    assert verdicts([0, 5], max_delta=4) == [I, W]
    assert verdicts([0, 2], max_delta=1) == [I, W]


def test_bad_crc_is_as_if_nothing_had_come() -> None:
    checker = Checker(0x123)
    bad = bytes([frame(2)[0] ^ 1]) + frame(2)[1:]
    assert [checker.check(data) for data in (frame(1), bad, frame(3), bad, bad, frame(6))] == [
        I, Verdict.WRONG_CRC, L, Verdict.WRONG_CRC, Verdict.WRONG_CRC, W,
    ]  # fmt: skip


def test_wrong_length_is_as_if_nothing_had_come() -> None:
    checker = Checker(0x123)
    assert [checker.check(data) for data in (frame(1), frame(2)[:7], b"", frame(2))] == [
        I, Verdict.WRONG_LENGTH, Verdict.WRONG_LENGTH, O,
    ]  # fmt: skip


def test_data_id_of_another_message_is_refused() -> None:
    assert Checker(0x124).check(frame(0, 0x123)) == Verdict.WRONG_CRC
    assert Checker(0x223).check(frame(0, 0x123)) == Verdict.WRONG_CRC
