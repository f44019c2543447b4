"""Cost of kernel and bus for a frame: `python -m hil.bus.benchmark [SECONDS]`.

The load is that of the powertrain bus: 11.5 frames of 8 bytes in 10 ms from seven nodes, all logged, 3 of them heard
by a subscriber. What the harness itself costs (timers, the subscriber's own calls) is measured in the same run with a
bus that does nothing, and is not counted.
"""

import random
import sys
import time
from collections.abc import Callable

from hil.bus import Bus
from hil.kernel import Kernel
from hil.recording.trace import Trace

# (period ms, frames sent together), a node each: 11.5 frames in 10 ms
SCHEDULE = ((10, 2), (10, 2), (10, 2), (10, 2), (10, 1), (10, 1), (20, 3))
HEARD = 3
"""So many frames in 10 ms have a subscriber: the first ones of the schedule."""
Send = Callable[[int, int], object]


def run(kernel: Kernel, senders: list[Send], seconds: float) -> tuple[int, float]:
    """Drive the schedule through these send functions; returns (frames, wall seconds)."""
    draw = random.Random(1)
    payloads = [draw.getrandbits(64) for _ in range(1009)]
    sent = 0

    def start(node: int, period_ns: int, frames: int) -> None:
        due_ns = draw.randrange(period_ns)
        send = senders[node]

        def fire() -> None:
            nonlocal due_ns, sent
            due_ns += period_ns
            kernel.at(due_ns, fire)
            for index in range(frames):
                sent += 1
                send(0x80 + 16 * node + index, payloads[sent % 1009])

        kernel.at(due_ns, fire)

    for node, (period_ms, frames) in enumerate(SCHEDULE):
        start(node, round(period_ms * 1e6 * (1 + node * 1e-5)), frames)
    begin = time.perf_counter()
    kernel.run_until(round(seconds * 1e9))
    return sent, time.perf_counter() - begin


def with_bus(seconds: float, log: bool) -> tuple[int, float, float]:
    """(frames, wall seconds, bus load)."""
    kernel = Kernel()
    bus = Bus(kernel)
    ports = [bus.attach(f"N{node}") for node in range(len(SCHEDULE))]
    heard = [0]
    ids = [0x80 + 16 * node + index for node, (_, frames) in enumerate(SCHEDULE) for index in range(frames)]
    for can_id in ids[:HEARD]:
        ports[-1].subscribe_words(can_id, lambda length, data: heard.__setitem__(0, data))
    if log:
        Trace(bus)
    frames, wall_s = run(kernel, [port.send_word for port in ports], seconds)
    return frames, wall_s, bus.load()


def without_bus(seconds: float) -> tuple[int, float]:
    """The harness alone; the subscriber is called at once."""
    heard = [0]
    return run(Kernel(), [lambda can_id, data: heard.__setitem__(0, data)] * len(SCHEDULE), seconds)


def main() -> None:
    """Print microseconds a frame, best of twenty."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    harness = logged = plain = float("inf")
    load = 0.0
    for _ in range(20):
        frames, wall_s = without_bus(seconds)
        harness = min(harness, wall_s / frames)
        frames, wall_s, load = with_bus(seconds, log=False)
        plain = min(plain, wall_s / frames)
        frames, wall_s, load = with_bus(seconds, log=True)
        logged = min(logged, wall_s / frames)
    report = (
        f"bus load                       {load:8.1%}\n"
        f"kernel, bus, log, delivery     {(logged - harness) * 1e6:8.2f} us/frame\n"
        f"  of which log                 {(logged - plain) * 1e6:8.2f} us/frame\n"
        f"harness (not counted)          {harness * 1e6:8.2f} us/frame\n"
        f"all in, 11.5 frames            {logged * 11.5e6:8.2f} us/10 ms\n"
    )
    sys.stdout.write(report)


if __name__ == "__main__":
    main()
