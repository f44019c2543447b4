"""The ring between the receive interrupt and the tick."""

import pytest
from vcu import receive

FIRST, RECORD = 32, 16
HEAD, TAIL = 4, 5


class Ring:
    """The ring's words; an interrupt with one frame comes behind the read with a number."""

    def __init__(self, head: int, tail: int, at_read: int) -> None:
        self.words = {HEAD: head, TAIL: tail}
        self.at_read = at_read
        self.reads = 0
        self.came: list[int] = []

    def __getitem__(self, word: int) -> int:
        value = self.words[word]
        self.reads += 1
        if self.reads == self.at_read:
            if self.words[HEAD] == self.words[TAIL]:
                self.words = {HEAD: FIRST, TAIL: FIRST}
            self.came.append(self.words[HEAD] // RECORD)
            self.words[HEAD] += RECORD
        return value

    def __setitem__(self, word: int, value: int) -> None:
        self.words[word] = value


@pytest.mark.parametrize("at_read", range(1, 8))
@pytest.mark.parametrize(("tail", "waiting"), [(FIRST, 0), (FIRST + 5 * RECORD, 0), (FIRST + 5 * RECORD, 2)])
def test_an_interrupt_at_any_read_loses_no_frame_and_repeats_none(monkeypatch, s, tail, waiting, at_read):
    ring = Ring(tail + waiting * RECORD, tail, at_read)
    taken = []
    monkeypatch.setattr(receive, "tick", lambda ms: 0)
    monkeypatch.setattr(receive, "see", lambda frames, at, end, memory: None)
    monkeypatch.setattr(receive, "accept", lambda at, end, frames: taken.extend(range(at, end)))
    for _ in range(4):
        receive.step(s, ring, None, 10)
    assert len(ring.came) == 1
    assert taken == [tail // RECORD + number for number in range(waiting)] + ring.came
    assert ring.words[HEAD] == ring.words[TAIL]
