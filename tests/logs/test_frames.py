"""What can be done with a table of frames."""

import numpy as np
import pytest

from tests.logs.conftest import frames
from twinaxle.logs.frames import concatenate, make_table
from twinaxle.logs.read import table_of


def test_words_and_keys() -> None:
    messages = frames(500)
    table = table_of(messages)
    assert table.words.tolist() == [int.from_bytes(message.data, "little") for message in messages]
    assert table.keys.tolist() == [message.arbitration_id | message.is_extended_id << 31 for message in messages]


@pytest.mark.parametrize("extended", [True, False])
def test_rows_by_key(extended: bool) -> None:
    messages = [message for message in frames(3000) if extended or not message.is_extended_id]
    for message in messages:
        message.arbitration_id &= ~0xF0
    table = table_of(messages)
    rows = table.rows_by_key()
    expected: dict[int, list[int]] = {}
    for row, message in enumerate(messages):
        if not (message.is_error_frame or message.is_remote_frame):
            expected.setdefault(message.arbitration_id | message.is_extended_id << 31, []).append(row)
    assert {key: found.tolist() for key, found in rows.items()} == expected
    assert table.take(slice(0)).rows_by_key() == {}


def test_time_range_counts_from_the_first_frame() -> None:
    table = table_of(frames(1000, step_s=0.01, start_s=50.0))
    assert len(table.between(None, None)) == 1000
    assert len(table.between(1.0, 2.0)) == 101
    assert len(table.between(9.5, None)) == 50
    assert len(table.between(None, 0.0)) == 1
    assert len(table.take(slice(0)).between(1, 2)) == 0


def test_time_order_is_stable() -> None:
    table = table_of(frames(10))
    mixed = table.take(np.array([3, 1, 1, 0]))
    assert mixed.in_time_order().time_ns.tolist() == table.time_ns[[0, 1, 1, 3]].tolist()
    assert table.in_time_order() is table


def test_concatenate_sums_up_what_was_skipped() -> None:
    table = table_of(frames(5)).annotated({"CAN FD frames": 2}, ("a note",))
    both = concatenate([table, table])
    assert len(both) == 10 and both.skipped == {"CAN FD frames": 4} and both.notes == ("a note", "a note")
    assert len(concatenate([])) == 0


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        make_table([1], [], [], [], [], [])
