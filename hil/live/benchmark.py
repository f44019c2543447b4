"""What the hub costs: `python -m hil.live.benchmark [FRAMES]`.

Each figure stands beside that of a raw loop in the same run: the same bytes written to the same number of sockets by
`sendall`, with nothing around it. Readers are processes of their own, which only read. The hub is fed as fast as it
takes frames, so its figure is an upper bound; the virtual bus at 500 kbit/s carries 4,500 frames/s at most.

The latency is one way between two clients of a live bench: from `sendall` of a frame in this process to its arrival,
read here too. The raw figure is the same way through a process that only passes bytes on. Both contain the
machine's scheduling twice.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from selectors import SelectSelector

from hil.bus import Bus, Frame
from hil.kernel import Kernel
from hil.live.bench import LiveBench
from hil.live.hub import Hub
from twinaxle.socketcand import RAWMODE, format_frame, format_open

CLIENTS = (1, 4, 8)
BATCH = 20
"""Frames between two flushes: 5 ms of a full bus."""
PINGS = 400


def read_all(port: int, last: bytes, shake_hands: bool, ready: Connection) -> None:
    """A reader: reads until the last frame has come."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        if shake_hands:
            join(connection)
        ready.send(True)
        tail = b""
        while not tail.endswith(last):
            tail = (tail + connection.recv(1 << 16))[-len(last) :]
        ready.send(True)


def join(connection: socket.socket) -> None:
    """A client's handshake."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for answer, request in ((b"< hi >", format_open("vcan0")), (b"< ok >", RAWMODE), (b"< ok >", b"")):
        assert connection.recv(64) == answer
        connection.sendall(request)


@contextmanager
def readers(
    port: int, number: int, last: bytes, shake_hands: bool, pump: Callable[[], None]
) -> Iterator[Callable[[], bool]]:
    """So many readers, all of them connected; yields whether all have read to the end."""
    ends = []
    processes = []
    for _ in range(number):
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=read_all, args=(port, last, shake_hands, there), daemon=True)
        process.start()
        ends.append(here)
        processes.append(process)
        while not here.poll(0):
            pump()
        here.recv()
    yield lambda: all(end.poll(0) for end in ends)
    for process in processes:
        process.join()


def frame_of(number: int) -> Frame:
    return Frame(0x100 + (number & 0x7F), number.to_bytes(8, "big"))


def through_hub(frames: int, clients: int) -> tuple[float, int]:
    """(frames/s, frames dropped) of the hub."""
    kernel = Kernel()
    bus = Bus(kernel)
    selector = SelectSelector()
    hub = Hub(bus, selector, queue_frames=1 << 30, hold_s=0)
    last = format_frame(0, *frame_of(frames)[:2])[-20:]

    def pump() -> None:
        kernel.run_until(kernel.now_ns + 1_000_000)
        hub.flush()
        for key, mask in selector.select(0):
            key.data(mask)

    with readers(hub.port, clients, last, True, pump) as done:
        begin_s = time.perf_counter()
        for number in range(1, frames + 1):
            hub.on_frame(kernel.now_ns, frame_of(number), "")
            if number % BATCH == 0:
                hub.flush()
        while not done():
            pump()
        wall_s = time.perf_counter() - begin_s
    dropped = hub.dropped
    hub.close()
    return frames / wall_s, dropped


def through_loop(frames: int, clients: int) -> float:
    """Frames/s of a raw loop with as many bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        connections: list[socket.socket] = []
        last = format_frame(0, *frame_of(frames)[:2])[-20:]

        def pump() -> None:
            try:
                connections.append(server.accept()[0])
            except BlockingIOError:
                time.sleep(0.001)

        with readers(server.getsockname()[1], clients, last, False, pump) as done:
            while len(connections) < clients:
                pump()
            for connection in connections:
                connection.settimeout(None)
            texts = [format_frame(0, *frame_of(number)[:2]) for number in range(1, frames + 1)]
            begin_s = time.perf_counter()
            for start in range(0, frames, BATCH):
                block = b"".join(texts[start : start + BATCH])
                for connection in connections:
                    connection.sendall(block)
            while not done():
                time.sleep(0.0001)
            wall_s = time.perf_counter() - begin_s
        for connection in connections:
            connection.close()
    return frames / wall_s


def serve_bench(end: Connection) -> None:
    """A live bench with the usual traffic of the car's nodes, until told to end."""
    with LiveBench(nodes=("INV_F", "INV_R", "BMS", "PEDALS", "ESC")) as bench:
        assert bench.hub is not None
        end.send(bench.hub.port)
        bench.run(until=lambda: end.poll(0))


def serve_bytes(end: Connection) -> None:
    """Passes bytes from the first connection to the second."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        end.send(server.getsockname()[1])
        source, sink = server.accept()[0], server.accept()[0]
        sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := source.recv(4096):
            sink.sendall(data)


def latencies_ms(serve: Callable[[Connection], None], shake_hands: bool) -> list[float]:
    """One way from one connection to another through a server, for so many pings, ms."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    process.start()
    port = here.recv()
    found = []
    with (
        socket.create_connection(("127.0.0.1", port)) as source,
        socket.create_connection(("127.0.0.1", port)) as sink,
    ):
        for connection in (source, sink):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if shake_hands:
                join(connection)
        if shake_hands:
            sink.recv(1 << 16)  # from now on frames come as they are on the bus
        time.sleep(0.1)
        for number in range(PINGS):
            mark = number.to_bytes(4, "big").hex().upper().encode()
            ping = b"< send 001 4 %b >" % b" ".join(mark[i : i + 2] for i in range(0, 8, 2)) if shake_hands else mark
            begin_s = time.perf_counter()
            source.sendall(ping)
            text = b""
            while b" " + mark + b" >" not in text if shake_hands else mark not in text:
                text += sink.recv(1 << 16)
            found.append((time.perf_counter() - begin_s) * 1e3)
            time.sleep(0.0037)
    here.send(None)
    process.join(5)
    process.kill()
    return sorted(found)


def main() -> None:
    """Print the figures."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    say = sys.stdout.write
    say(f"{'clients':>8} {'hub':>20} {'raw loop':>20} {'hub / raw':>10} {'dropped':>8}\n")
    for clients in CLIENTS:
        hub, dropped = through_hub(frames, clients)
        raw = through_loop(frames, clients)
        say(f"{clients:8} {hub:11,.0f} frames/s {raw:11,.0f} frames/s {hub / raw:10.2f} {dropped:8}\n")
    through, raw_way = latencies_ms(serve_bench, True), latencies_ms(serve_bytes, False)
    say("one way from client to client, ms (a frame of 4 bytes on the bus takes 0.17 of it)\n")
    for name, values in (("live bench", through), ("raw", raw_way)):
        p99 = values[int(len(values) * 0.99) - 1]
        say(f"{name:>12}  median {statistics.median(values):.2f}  p99 {p99:.2f}  worst {values[-1]:.2f}\n")
    say(f"{'ratio':>12}  median {statistics.median(through) / statistics.median(raw_way):.1f}\n")


if __name__ == "__main__":
    main()
