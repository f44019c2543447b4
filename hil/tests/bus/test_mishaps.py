"""Whatever goes wrong in whatever order: frames never overlap, and in the end every frame is accounted for."""

import random
from collections import Counter

import pytest

from hil.bus import ErrorState, Frame, TxRequest
from hil.bus.bits import frame_bits

from .conftest import BIT_NS, Bench


class Mishaps:
    """Random traffic and faults out of a seed."""

    def __init__(self, seed: int) -> None:
        self.bench = Bench()
        self.draw = random.Random(seed)
        self.ports = self.bench.attach("A", "B", "C", "D")
        self.requests: list[TxRequest] = []
        self.results: Counter[int] = Counter()
        self.good: Counter[int] = Counter()
        self.taken_back: set[int] = set()
        self.heard: Counter[str] = Counter()
        for port in self.ports:
            port.subscribe_all(lambda frame, name=port.name: self.heard.update([name]))  # type: ignore[misc]

    def send(self) -> None:
        number = len(self.requests)
        # Few ids, so that nodes collide; the payload tells frames apart, or makes them equal.
        data = bytes(number % 256 if self.draw.random() < 0.8 else 0 for _ in range(self.draw.randrange(9)))
        frame = Frame(self.draw.choice((0x080, 0x100, 0x101, 0x400)), data)

        def done(good: bool) -> None:
            self.results[number] += 1
            self.good[number] += good

        self.requests.append(self.draw.choice(self.ports).send(frame, done))

    def take_back(self) -> None:
        if self.requests:
            number = self.draw.randrange(len(self.requests))
            request = self.requests[number]
            if request[2].abort(request):
                self.taken_back.add(number)

    def mishap(self) -> None:
        bus, port = self.bench.bus, self.draw.choice(self.ports)
        match self.draw.randrange(7):
            case 0:
                port.connected = not port.connected
            case 1:
                port.online = not port.online
            case 2:
                bus.stuck_dominant = True
            case 3:
                bus.shorted = True
            case 4:
                bus.corrupt(lambda frame: frame.can_id & 1 == 0, count=self.draw.randrange(40))
            case 5:
                port.latest_only = not port.latest_only
            case 6:
                self.mend()

    def mend(self) -> None:
        bus = self.bench.bus
        bus.stuck_dominant = bus.shorted = False
        for port in self.ports:
            port.connected = port.online = True
            port.restart()

    def run(self) -> None:
        for _ in range(300):
            self.draw.choices((self.send, self.take_back, self.mishap, self.mend), (10, 1, 1, 1))[0]()
            self.bench.run_bits(self.draw.choice((0, 0, 1, 3, 20, 150, 1000)))

    def heal(self) -> None:
        for rule in self.bench.bus._rules:
            rule.cancel()
        # What still fights over one id may take nodes to bus-off again.
        for _ in range(60):
            self.mend()
            self.bench.run_ms(10)


@pytest.mark.req("HB-03")
@pytest.mark.parametrize("seed", range(40))
def test_frames_never_overlap_and_all_are_accounted_for(seed: int) -> None:
    mishaps = Mishaps(seed)
    mishaps.run()
    mishaps.heal()
    bench = mishaps.bench
    assert [port.state is ErrorState.BUS_OFF for port in mishaps.ports] == [False] * 4
    assert [port.pending for port in mishaps.ports] == [0] * 4
    for number in range(len(mishaps.requests)):
        assert (number in mishaps.taken_back) + mishaps.results[number] == 1, f"frame {number}"
    ends = [time_ns for time_ns, _, _ in bench.log]
    starts = [time_ns - frame_bits(frame) * BIT_NS for time_ns, frame, _ in bench.log]
    assert all(start - end >= 3 * BIT_NS for end, start in zip(ends, starts[1:], strict=False))
    assert 0 < bench.bus.load() < 1
    assert sum(mishaps.good.values()) >= len(bench.log) > 20
    assert sum(mishaps.heard.values()) <= 3 * len(bench.log) + 3 * sum(mishaps.good.values())
    # And the bus is as good as new.
    before = len(bench.log)
    for port in mishaps.ports:
        port.send(Frame(0x200 + ord(port.name), b""))
    bench.run_ms(1)
    assert len(bench.log) == before + 4


@pytest.mark.req("HB-02")
def test_equal_seeds_meet_equal_ends() -> None:
    first, second = Mishaps(3), Mishaps(3)
    first.run()
    second.run()
    assert first.bench.log == second.bench.log
    assert first.bench.errors == second.bench.errors
